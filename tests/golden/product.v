// y = x0*x1 + 0.3
// Latency 3 clock cycles, initiation interval 1; for xc7-2 at 5 ns.
// A number format is fixed<all bits, integer bits>; n<i>_s<t> is the value n<i> in a later stage t.
// sr2hls-digest: 0123abcd
`default_nettype none

module product (
    input  wire clk,
    input  wire in_valid,
    input  wire signed [11:0] x0,  // fixed<12,4>
    input  wire [8:0] x1,  // ufixed<9,3>
    output wire out_valid,
    output reg  signed [7:0] y  // fixed<8,5>
);

    // ---- constants ----
    wire [6:0] n4 = 7'h4d;                                            // ufixed<7,-1>  x0*x1 + 0.3  0.30078125

    // ---- stage 0 ----
    reg signed [11:0] n0;                                             // fixed<12,4>  x0
    reg [8:0] n1;                                                     // ufixed<9,3>  x1
    always @(posedge clk) begin
        n0 <= x0;
        n1 <= x1;
    end
    wire signed [20:0] n2 = n0 * $signed({1'b0, n1});                 // fixed<21,7>  x0*x1

    // ---- stage 1 ----
    reg signed [20:0] n2_s1;                                          // fixed<21,7>  x0*x1
    always @(posedge clk) begin
        n2_s1 <= n2;
    end
    wire signed [13:0] n3 = n2_s1[18:5];                              // fixed<14,5>  x0*x1
    wire signed [14:0] n5 = {n3[13], n3} + {7'd0, n4, 1'd0};          // fixed<15,6>  x0*x1 + 0.3
    wire signed [9:0] n6_r = {n5[14], n5[14:6]} + {9'd0, n5[5]};
    wire signed [7:0] n6 = (~n6_r[9] & |n6_r[8:7]) ? 8'sh7f : (n6_r[9] & ~&n6_r[8:7]) ? 8'sh80 : n6_r[7:0];  // fixed<8,5>  x0*x1 + 0.3

    // ---- outputs ----
    always @(posedge clk) begin
        y <= n6;
    end

    // ---- valid ----
    reg [2:0] valid;
    initial valid = 3'd0;
    always @(posedge clk) valid <= {valid[1:0], in_valid};
    assign out_valid = valid[2];

    // ---- bits that nothing reads, named here for lint ----
    wire n_unused = &{1'b0,
        n2_s1[20:19], n2_s1[4:0], n5[4:0]};

endmodule

`default_nettype wire
