# Clock of the circuit 'golden' for out-of-context runs only (UG949); the enclosing design brings its own.
# sr2hls-digest: DIGEST
create_clock -period 5 -name clk [get_ports clk]
