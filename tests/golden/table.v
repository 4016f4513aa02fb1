// reg = max(f, lz); same = wire
// Latency 0 clock cycles, initiation interval 1; for xc7-2 at 5 ns.
// A number format is fixed<all bits, integer bits>; n<i>_s<t> is the value n<i> in a later stage t.
// sr2hls-digest: 0123abcd
`default_nettype none

module table_ (
    input  wire clk,
    input  wire in_valid,
    input  wire [5:0] wire_,  // ufixed<6,4>
    output wire out_valid,
    output wire [4:0] reg_,  // ufixed<5,3>
    output wire [5:0] same  // ufixed<6,4>
);

    // ---- stage 0 ----
    wire [5:0] n0 = wire_;                                            // ufixed<6,4>  wire
    wire [2:0] n1 = n0[5:3];                                          // ufixed<3,3>  f(wire)
    reg signed [3:0] n2;                                              // fixed<4,2>  f(wire)  table f_0
    always @* case (n1)
        3'h0: n2 = 4'sh3;  3'h1: n2 = 4'shc;  3'h2: n2 = 4'sh5;  3'h3: n2 = 4'sh1;
        3'h4: n2 = 4'sh0;  3'h5: n2 = 4'sh7;  3'h6: n2 = 4'sh8;  3'h7: n2 = 4'sh2;
    endcase
    reg [2:0] n3;                                                     // ufixed<3,3>  lz(wire)  leading zeros
    always @* casez (n0)
        6'b1?????: n3 = 3'h0;
        6'b01????: n3 = 3'h1;
        6'b001???: n3 = 3'h2;
        6'b0001??: n3 = 3'h3;
        6'b00001?: n3 = 3'h4;
        6'b000001: n3 = 3'h5;
        6'b000000: n3 = 3'h6;
    endcase
    wire n4 = {1'd0, {n2[3], n2}} < {n2[3], {n3, 2'd0}};              // ufixed<1,1>  max(f, lz)
    wire [4:0] n5 = n4 ? {n3, 2'd0} : {n2[3], n2};                    // ufixed<5,3>  max(f, lz)

    // ---- outputs ----
    assign reg_ = n5;
    assign same = n0;

    // ---- valid ----
    assign out_valid = in_valid;

    // ---- bits that nothing reads, named here for lint ----
    wire n_unused = &{1'b0,
        clk};

endmodule

`default_nettype wire
