// HLS C++ of the circuit 'golden', written by sr2hls.
// sr2hls-digest: DIGEST
//
// Checked bit for bit with g++ and the open ap_types headers. Vivado HLS and Vitis HLS have not been run on it:
// clock and latency below are what sr2hls's own schedule promises, not what these tools report.
#ifndef GOLDEN_H
#define GOLDEN_H

#include <ap_fixed.h>
#include <ap_int.h>

void golden(
    ap_fixed<6,3> x0,
    ap_ufixed<3,3> x1,
    ap_fixed<5,2> &y,
    ap_ufixed<3,2> &z
);

#endif
