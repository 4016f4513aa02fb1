// Test bench of the circuit 'golden': integer codes in, exact comparison, exit code 0 only when all agree.
// sr2hls-digest: DIGEST
// Written by sr2hls. Vivado HLS and Vitis HLS have not been run on it.
#include "golden.h"

#include <cstdio>
#include <fstream>
#include <string>

static const char digest[] = "DIGEST";

int main(int argc, char **argv) {
    const char *path = argc > 1 ? argv[1] : "golden_vectors.txt";
    std::ifstream vectors(path);
    std::string line, found;
    long long samples = 0;
    if (!std::getline(vectors, line) || !(vectors >> found >> samples) || samples < 1) {
        std::printf("FAIL: no vectors in %s\n", path);
        return 2;
    }
    if (found != digest) {
        std::printf("FAIL: %s is for design %s, this is %s\n", path, found.c_str(), digest);
        return 2;
    }
    long long mismatches = 0;
    for (long long sample = 0; sample < samples; sample++) {
        long long code_x0;
        long long code_x1;
        long long code_y;
        long long code_z;
        if (!(vectors >> code_x0 >> code_x1 >> code_y >> code_z)) {
            std::printf("FAIL: %s ends after %lld of %lld vectors\n", path, sample, samples);
            return 2;
        }
        ap_fixed<6,3> port_x0;
        port_x0.range() = ap_int<6>(code_x0);
        ap_ufixed<3,3> port_x1;
        port_x1.range() = ap_uint<3>(code_x1);
        ap_fixed<5,2> port_y;
        ap_ufixed<3,2> port_z;
        golden(port_x0, port_x1, port_y, port_z);
        const long long got_y = ap_int<5>(port_y.range()).to_int64();
        if (got_y != code_y) {
            if (mismatches++ < 10)
                std::printf("sample %lld: y is %lld, expected %lld\n", sample, got_y, code_y);
        }
        const long long got_z = ap_uint<3>(port_z.range()).to_int64();
        if (got_z != code_z) {
            if (mismatches++ < 10)
                std::printf("sample %lld: z is %lld, expected %lld\n", sample, got_z, code_z);
        }
    }
    if (mismatches) {
        std::printf("FAIL: %lld mismatches in %lld vectors\n", mismatches, samples);
        return 1;
    }
    std::printf("PASS: %lld vectors, design %s\n", samples, digest);
    return 0;
}
