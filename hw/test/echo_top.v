// The AXI4-Stream shell around a core that inverts its input after LATENCY cycles: the object of test_axis.py.
`default_nettype none

module echo_top #(
    parameter LATENCY    = 5,
    parameter DEPTH_LOG2 = 3
) (
    input  wire        aclk,
    input  wire        aresetn,
    input  wire [15:0] s_axis_tdata,
    input  wire        s_axis_tvalid,
    output wire        s_axis_tready,
    input  wire        s_axis_tlast,
    output wire [15:0] m_axis_tdata,
    output wire        m_axis_tvalid,
    input  wire        m_axis_tready,
    output wire        m_axis_tlast
);

    wire        in_valid, out_valid;
    wire [15:0] in_data, out_data;

    sr2hls_axis #(.IN_WIDTH(16), .OUT_WIDTH(16), .LATENCY(LATENCY), .DEPTH_LOG2(DEPTH_LOG2)) shell (
        .aclk(aclk), .aresetn(aresetn),
        .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid),
        .s_axis_tready(s_axis_tready), .s_axis_tlast(s_axis_tlast),
        .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid),
        .m_axis_tready(m_axis_tready), .m_axis_tlast(m_axis_tlast),
        .core_in_valid(in_valid), .core_in_data(in_data),
        .core_out_valid(out_valid), .core_out_data(out_data)
    );

    sr2hls_delay #(.WIDTH(17), .LATENCY(LATENCY)) core (
        .clk(aclk), .d({in_valid, ~in_data}), .q({out_valid, out_data})
    );

endmodule

`default_nettype wire
