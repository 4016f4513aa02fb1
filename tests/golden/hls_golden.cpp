// HLS C++ of the circuit 'golden', written by sr2hls.
// sr2hls-digest: DIGEST
//
// Checked bit for bit with g++ and the open ap_types headers. Vivado HLS and Vitis HLS have not been run on it:
// clock and latency below are what sr2hls's own schedule promises, not what these tools report.
#include "golden.h"

// sin_0: codes of fixed<5,1>
static const signed char table_0[8] = {
    0, 13, 15, 2, -12, -15, -4, 11
};

// Zeros above the highest 1 of the word: a priority encoder.
template <int W> ap_uint<7> leading_zeros(const ap_uint<W> &code) {
#pragma HLS INLINE
    ap_uint<7> zeros = W;
    for (int bit = 0; bit < W; bit++) {
#pragma HLS UNROLL
        if (code[bit]) zeros = W - 1 - bit;
    }
    return zeros;
}

// Each statement is one node of the circuit, followed by its format and the sub-expression that it came from.
// A variable holds the code; its value is code * 2^-fraction.
void golden(
    ap_fixed<6,3> x0,
    ap_ufixed<3,3> x1,
    ap_fixed<5,2> &y,
    ap_ufixed<3,2> &z
) {
#pragma HLS INTERFACE ap_ctrl_none port=return
#pragma HLS INTERFACE ap_none port=x0
#pragma HLS INTERFACE ap_none port=x1
#pragma HLS INTERFACE ap_none port=y
#pragma HLS INTERFACE ap_none port=z
#pragma HLS PIPELINE II=1
#pragma HLS LATENCY min=1 max=1
    ap_int<6> n0 = x0.range();  // fixed<6,3>  x0
    ap_uint<3> n1 = x1.range();  // ufixed<3,3>  x1
    ap_int<5> n2 = table_0[ap_uint<3>(n1).to_uint()];  // fixed<5,1>  sin(x1)
    ap_int<10> n3 = n0 * n2;  // fixed<10,3>  x0*sin(x1)
    ap_int<6> n4_rounded = ((n3 >> 4) + ap_uint<1>(n3[3]));
    ap_int<5> n4 = (n4_rounded < -16) ? ap_int<5>(-16) : (n4_rounded > 15) ? ap_int<5>(15) : ap_int<5>(n4_rounded);  // fixed<5,2>  round(x0*sin(x1)); * / int y; #error no
    ap_uint<1> n5 = 1;  // ufixed<1,1>  x0 > 1
    ap_uint<1> n6 = (ap_int<5>((ap_uint<4>(n5) << 3)) < n0) ? 1 : 0;  // ufixed<1,1>  x0 > 1
    ap_uint<2> n7 = leading_zeros(n1);  // ufixed<2,2>  x0 > 1
    ap_uint<2> n8 = 3;  // ufixed<2,1>  x0 > 1
    ap_uint<3> n9 = (n6 == 1) ? ap_uint<3>((ap_uint<3>(n7) << 1)) : ap_uint<3>(n8);  // ufixed<3,2>  x0 > 1
    y.range() = n4;
    z.range() = n9;
}
