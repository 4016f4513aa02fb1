// The accumulating shell around toy units, the object of test_accumulate.py: a state is {a, b}, 8 bits each.
// messages: a of the receiver - a of the sender, and b of the sender (both signed, 9 bits); outputs: both sums (signed)
// and the receiver's b, which the node unit is handed.
`default_nettype none

module sum_top #(
    parameter BODIES       = 4,
    parameter INDEX_WIDTH  = 2,
    parameter RECEIVERS    = 4,
    parameter FIRST        = 0,
    parameter EDGE_LATENCY = 3,
    parameter NODE_LATENCY = 2
) (
    input  wire                   clk,
    input  wire                   resetn,
    input  wire                   in_valid,
    output wire                   in_ready,
    input  wire [15:0]            in_state,
    output wire                   out_valid,
    output wire [INDEX_WIDTH-1:0] out_body,
    output wire [15:0]            out_difference,
    output wire [15:0]            out_sum,
    output wire [7:0]             out_own
);

    wire        edge_in_valid, edge_out_valid, node_in_valid, node_out_valid;
    wire [15:0] receiver, sender;
    wire [17:0] messages;
    wire [31:0] sums;
    wire [7:0]  own;

    sr2hls_accumulate #(
        .BODIES(BODIES), .INDEX_WIDTH(INDEX_WIDTH), .RECEIVERS(RECEIVERS), .FIRST(FIRST), .STATE_WIDTH(16),
        .NODE_WIDTH(8), .MESSAGES(2), .MESSAGE_WIDTH(9), .SUM_WIDTH(16),
        .EDGE_LATENCY(EDGE_LATENCY), .NODE_LATENCY(NODE_LATENCY)
    ) shell (
        .clk(clk), .resetn(resetn), .in_valid(in_valid), .in_ready(in_ready), .in_state(in_state),
        .edge_in_valid(edge_in_valid), .edge_receiver(receiver), .edge_sender(sender),
        .edge_out_valid(edge_out_valid), .edge_messages(messages),
        .node_in_valid(node_in_valid), .node_receiver(own), .node_sums(sums), .node_out_valid(node_out_valid),
        .out_valid(out_valid), .out_body(out_body)
    );

    wire [8:0] difference = {receiver[15], receiver[15:8]} - {sender[15], sender[15:8]};
    wire [8:0] other = {sender[7], sender[7:0]};
    sr2hls_delay #(.WIDTH(19), .LATENCY(EDGE_LATENCY)) edge_unit (
        .clk(clk), .d({edge_in_valid, other, difference}), .q({edge_out_valid, messages})
    );
    sr2hls_delay #(.WIDTH(41), .LATENCY(NODE_LATENCY)) node_unit (
        .clk(clk), .d({node_in_valid, own, sums}), .q({node_out_valid, out_own, out_sum, out_difference})
    );

    wire unused = &{1'b0, receiver[7:0]};

endmodule

`default_nettype wire
