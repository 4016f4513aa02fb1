// A core without stall or reset (in_valid -> out_valid after LATENCY cycles) -> AXI4-Stream with back-pressure.
//
// The core cannot stop, so a sample enters only when there is room for its result: `owed` counts the samples that were
// accepted and not yet delivered, and never exceeds the depth of the result FIFO. With 2**DEPTH_LOG2 >= LATENCY + 2 a
// sample may enter in every cycle. TLAST travels beside the core. After a reset the shell waits until the samples that
// were in flight have left the core.
`default_nettype none

module sr2hls_axis #(
    parameter IN_WIDTH   = 32,
    parameter OUT_WIDTH  = 32,
    parameter LATENCY    = 4,
    parameter DEPTH_LOG2 = 3
) (
    input  wire                 aclk,
    input  wire                 aresetn,

    input  wire [IN_WIDTH-1:0]  s_axis_tdata,
    input  wire                 s_axis_tvalid,
    output wire                 s_axis_tready,
    input  wire                 s_axis_tlast,

    output wire [OUT_WIDTH-1:0] m_axis_tdata,
    output wire                 m_axis_tvalid,
    input  wire                 m_axis_tready,
    output wire                 m_axis_tlast,

    output wire                 core_in_valid,
    output wire [IN_WIDTH-1:0]  core_in_data,
    input  wire                 core_out_valid,
    input  wire [OUT_WIDTH-1:0] core_out_data
);

    localparam DEPTH = 1 << DEPTH_LOG2;
    localparam [DEPTH_LOG2:0] FULL = DEPTH[DEPTH_LOG2:0];

    // ---- after a reset: wait for the core to run empty ----
    reg [15:0] flush;
    initial flush = LATENCY[15:0];
    always @(posedge aclk)
        if (!aresetn) flush <= LATENCY[15:0];
        else if (flush != 16'd0) flush <= flush - 16'd1;
    wire open = aresetn && flush == 16'd0;

    // ---- into the core ----
    reg [DEPTH_LOG2:0] owed;
    initial owed = {DEPTH_LOG2 + 1{1'b0}};
    assign s_axis_tready = open && owed != FULL;
    wire accept  = s_axis_tvalid && s_axis_tready;
    wire deliver = m_axis_tvalid && m_axis_tready;
    always @(posedge aclk)
        if (!aresetn) owed <= {DEPTH_LOG2 + 1{1'b0}};
        else if (accept && !deliver) owed <= owed + {{DEPTH_LOG2{1'b0}}, 1'b1};
        else if (deliver && !accept) owed <= owed - {{DEPTH_LOG2{1'b0}}, 1'b1};

    assign core_in_valid = accept;
    assign core_in_data  = s_axis_tdata;

    wire last;
    sr2hls_delay #(.WIDTH(1), .LATENCY(LATENCY)) beside (.clk(aclk), .d(s_axis_tlast), .q(last));

    // ---- results: a FIFO that shows its first word ----
    reg [OUT_WIDTH:0] results [0:DEPTH-1];
    reg [DEPTH_LOG2:0] put, take;
    initial put  = {DEPTH_LOG2 + 1{1'b0}};
    initial take = {DEPTH_LOG2 + 1{1'b0}};
    wire store = core_out_valid && open;
    always @(posedge aclk)
        if (store) results[put[DEPTH_LOG2-1:0]] <= {last, core_out_data};
    always @(posedge aclk)
        if (!aresetn) begin
            put  <= {DEPTH_LOG2 + 1{1'b0}};
            take <= {DEPTH_LOG2 + 1{1'b0}};
        end else begin
            if (store)   put  <= put  + {{DEPTH_LOG2{1'b0}}, 1'b1};
            if (deliver) take <= take + {{DEPTH_LOG2{1'b0}}, 1'b1};
        end
    assign m_axis_tvalid = aresetn && put != take;
    assign {m_axis_tlast, m_axis_tdata} = results[take[DEPTH_LOG2-1:0]];

endmodule

`default_nettype wire
