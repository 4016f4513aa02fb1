// A word -> the same word LATENCY clock cycles later: the pipeline of a valid bit or of another sideband signal.
// Bits start at 0 and need no reset; with LATENCY = 0 it is a wire.
`default_nettype none

module sr2hls_delay #(
    parameter WIDTH   = 1,
    parameter LATENCY = 1
) (
    input  wire             clk,
    input  wire [WIDTH-1:0] d,
    output wire [WIDTH-1:0] q
);

    generate
        if (LATENCY == 0) begin : direct
            assign q = d;
            wire unused = &{1'b0, clk};
        end else begin : delayed
            reg [WIDTH*LATENCY-1:0] line;
            initial line = {WIDTH*LATENCY{1'b0}};
            if (LATENCY == 1) begin : one
                always @(posedge clk) line <= d;
            end else begin : more
                always @(posedge clk) line <= {line[WIDTH*(LATENCY-1)-1:0], d};
            end
            assign q = line[WIDTH*LATENCY-1 -: WIDTH];
        end
    endgenerate

endmodule

`default_nettype wire
