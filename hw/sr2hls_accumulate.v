// The states of BODIES bodies, one a cycle -> for each receiver the exact sum of the messages of all other bodies.
//
// One edge unit (receiver, sender -> messages, after EDGE_LATENCY cycles) and one node unit (receiver, sums -> outputs,
// after NODE_LATENCY cycles) are connected from outside; both take a new sample in every cycle and cannot stop. For
// each receiver FIRST ... FIRST + RECEIVERS - 1 a counter runs through the other BODIES - 1 bodies (a body is never its
// own sender), so a receiver takes BODIES - 1 cycles, and a snapshot RECEIVERS * (BODIES - 1). There are two banks: a
// snapshot is loaded while the one before is worked on, so a new one starts every
// max(BODIES, RECEIVERS * (BODIES - 1)) cycles. The sums are signed integers of SUM_WIDTH bits, which must hold
// BODIES - 1 messages; nothing is rounded. Of a receiver's state the node unit is given the lowest NODE_WIDTH bits.
// Results cannot be held back. After a reset the shell waits until the units have run empty.
`default_nettype none

module sr2hls_accumulate #(
    parameter BODIES        = 4,  // two or more
    parameter INDEX_WIDTH   = 2,  // bits of BODIES - 1
    parameter RECEIVERS     = 4,
    parameter FIRST         = 0,
    parameter STATE_WIDTH   = 32,
    parameter NODE_WIDTH    = 16,
    parameter MESSAGES      = 2,
    parameter MESSAGE_WIDTH = 16,
    parameter SUM_WIDTH     = 18,
    parameter EDGE_LATENCY  = 4,
    parameter NODE_LATENCY  = 2
) (
    input  wire                              clk,
    input  wire                              resetn,

    input  wire                              in_valid,
    output wire                              in_ready,
    input  wire [STATE_WIDTH-1:0]            in_state,

    output reg                               edge_in_valid,
    output reg  [STATE_WIDTH-1:0]            edge_receiver,
    output reg  [STATE_WIDTH-1:0]            edge_sender,
    input  wire                              edge_out_valid,
    input  wire [MESSAGES*MESSAGE_WIDTH-1:0] edge_messages,

    output reg                               node_in_valid,
    output reg  [NODE_WIDTH-1:0]             node_receiver,
    output wire [MESSAGES*SUM_WIDTH-1:0]     node_sums,
    input  wire                              node_out_valid,

    output wire                              out_valid,
    output wire [INDEX_WIDTH-1:0]            out_body
);

    localparam [INDEX_WIDTH-1:0] ONE         = {{INDEX_WIDTH - 1{1'b0}}, 1'b1};
    localparam [INDEX_WIDTH-1:0] LAST_BODY   = BODIES[INDEX_WIDTH-1:0] - ONE;
    localparam [INDEX_WIDTH-1:0] LAST_COUNT  = LAST_BODY - ONE;
    localparam [INDEX_WIDTH-1:0] FIRST_INDEX = FIRST[INDEX_WIDTH-1:0];
    localparam [INDEX_WIDTH-1:0] LAST_INDEX  = FIRST_INDEX + RECEIVERS[INDEX_WIDTH-1:0] - ONE;
    localparam [15:0]            FLUSH       = EDGE_LATENCY[15:0] + NODE_LATENCY[15:0] + 16'd2;

    // ---- after a reset: wait for the units to run empty ----
    reg [15:0] flush;
    initial flush = FLUSH;
    always @(posedge clk)
        if (!resetn) flush <= FLUSH;
        else if (flush != 16'd0) flush <= flush - 16'd1;
    wire open = resetn && flush == 16'd0;

    // ---- the bodies: one bank is loaded, the other one read ----
    reg [STATE_WIDTH-1:0] bodies [0:(2<<INDEX_WIDTH)-1];
    reg [1:0] full;
    reg put_bank, take_bank;
    reg [INDEX_WIDTH-1:0] put;
    initial begin
        full = 2'd0;
        put_bank = 1'b0;
        take_bank = 1'b0;
        put = {INDEX_WIDTH{1'b0}};
    end
    assign in_ready = open && !full[put_bank];
    wire load = in_valid && in_ready;
    wire loaded = load && put == LAST_BODY;
    always @(posedge clk)
        if (load) bodies[{put_bank, put}] <= in_state;

    // ---- receiver by receiver, through all other bodies ----
    reg [INDEX_WIDTH-1:0] receiver, count;
    initial begin
        receiver = FIRST_INDEX;
        count = {INDEX_WIDTH{1'b0}};
    end
    wire run = full[take_bank] && open;
    wire last_sender = count == LAST_COUNT;
    wire emptied = run && last_sender && receiver == LAST_INDEX;
    wire [INDEX_WIDTH-1:0] sender = count < receiver ? count : count + ONE;
    always @(posedge clk)
        if (!resetn) begin
            full <= 2'd0;
            put_bank <= 1'b0;
            take_bank <= 1'b0;
            put <= {INDEX_WIDTH{1'b0}};
            receiver <= FIRST_INDEX;
            count <= {INDEX_WIDTH{1'b0}};
        end else begin
            if (load) put <= loaded ? {INDEX_WIDTH{1'b0}} : put + ONE;
            if (loaded) put_bank <= !put_bank;
            if (run) count <= last_sender ? {INDEX_WIDTH{1'b0}} : count + ONE;
            if (run && last_sender) receiver <= emptied ? FIRST_INDEX : receiver + ONE;
            if (emptied) take_bank <= !take_bank;
            full <= (full | {loaded && put_bank, loaded && !put_bank})
                    & ~{emptied && take_bank, emptied && !take_bank};
        end

    reg first_pair, last_pair;
    reg [INDEX_WIDTH-1:0] body;
    initial edge_in_valid = 1'b0;
    always @(posedge clk) begin
        edge_in_valid <= run;
        edge_receiver <= bodies[{take_bank, receiver}];
        edge_sender   <= bodies[{take_bank, sender}];
        first_pair    <= count == {INDEX_WIDTH{1'b0}};
        last_pair     <= last_sender;
        body          <= receiver;
    end

    // ---- beside the edge unit ----
    wire first_message, last_message;
    wire [INDEX_WIDTH-1:0] message_body;
    wire [NODE_WIDTH-1:0] message_receiver;
    sr2hls_delay #(.WIDTH(2 + INDEX_WIDTH + NODE_WIDTH), .LATENCY(EDGE_LATENCY)) beside (
        .clk(clk),
        .d({first_pair, last_pair, body, edge_receiver[NODE_WIDTH-1:0]}),
        .q({first_message, last_message, message_body, message_receiver})
    );

    // ---- the sums ----
    genvar k;
    generate
        for (k = 0; k < MESSAGES; k = k + 1) begin : component
            wire [MESSAGE_WIDTH-1:0] message = edge_messages[k*MESSAGE_WIDTH +: MESSAGE_WIDTH];
            wire [SUM_WIDTH-1:0] wide = {{SUM_WIDTH-MESSAGE_WIDTH+1{message[MESSAGE_WIDTH-1]}}, message[MESSAGE_WIDTH-2:0]};
            reg [SUM_WIDTH-1:0] sum;
            always @(posedge clk)
                if (edge_out_valid) sum <= first_message ? wide : sum + wide;
            assign node_sums[k*SUM_WIDTH +: SUM_WIDTH] = sum;
        end
    endgenerate

    reg [INDEX_WIDTH-1:0] node_body;
    initial node_in_valid = 1'b0;
    always @(posedge clk) begin
        node_in_valid <= edge_out_valid && last_message;
        node_receiver <= message_receiver;
        node_body     <= message_body;
    end

    // ---- beside the node unit ----
    sr2hls_delay #(.WIDTH(INDEX_WIDTH), .LATENCY(NODE_LATENCY)) after (.clk(clk), .d(node_body), .q(out_body));
    assign out_valid = node_out_valid && open;

endmodule

`default_nettype wire
