// Bit-exact integer emulator of the circuit 'golden', written by sr2hls.
// sr2hls-digest: DIGEST
//
// In hardware: latency 1 cycles of 5 ns, initiation interval 1.
//
// A code is an integer; its value is code * 2^-fraction. Each statement of evaluate() is one node of the circuit,
// followed by its format and the sub-expression that it came from. C++17, no dependencies.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace golden {

// Guaranteed since C++20; GCC, Clang and MSVC have always done so.
static_assert((std::int64_t{-1} >> 1) == -1, "the right shift of a negative integer must be arithmetic");

inline constexpr char digest[] = "DIGEST";
inline constexpr int latency = 1;  // clock cycles of the hardware
inline constexpr std::size_t input_count = 2;
inline constexpr std::size_t output_count = 2;

// Codes, one member a port. Of an input code the port's low bits are taken, as the hardware takes them.
struct Inputs {
    std::int64_t x0;  // fixed<6,3>: -32 to 31
    std::int64_t x1;  // ufixed<3,3>: 0 to 7
};

struct Outputs {
    std::int64_t y;  // fixed<5,2>: -16 to 15
    std::int64_t z;  // ufixed<3,2>: 0 to 7
};

struct InputValues {
    double x0;
    double x1;
};

struct OutputValues {
    double y;
    double z;
};

namespace detail {

// The nearest code, ties toward plus infinity, saturated to [least, greatest]; 0 for NaN. greatest < 2^limit.
inline std::int64_t nearest(double value, int fraction, int limit, std::int64_t least, std::int64_t greatest) {
    if (value != value) return 0;
    const double scaled = std::ldexp(value, fraction);
    if (scaled >= std::ldexp(1.0, limit)) return greatest;
    if (scaled < static_cast<double>(least)) return least;
    const double floor = std::floor(scaled);
    const std::int64_t code = static_cast<std::int64_t>(floor) + ((scaled - floor >= 0.5) ? 1 : 0);
    return (code > greatest) ? greatest : code;
}

// Zeros above the highest 1 of a non-negative code, in 64 bits.
inline std::int64_t leading_zeros(std::int64_t code) {
    std::int64_t zeros = 64;
    std::int64_t rest = code;
    for (int step = 32; step > 0; step /= 2) {
        const std::int64_t upper = rest >> step;
        zeros = (upper != 0) ? zeros - step : zeros;
        rest = (upper != 0) ? upper : rest;
    }
    return zeros - rest;
}

}  // namespace detail

// sin_0: fixed<5,1>
inline constexpr std::int8_t table_0[8] = {
    0, 13, 15, 2, -12, -15, -4, 11
};

inline Outputs evaluate([[maybe_unused]] const Inputs& in) {
    const std::int64_t n0 = ((in.x0 & 0x3f) ^ 32) - 32;  // fixed<6,3>  x0
    const std::int64_t n1 = in.x1 & 0x7;  // ufixed<3,3>  x1
    const std::int64_t n2 = table_0[n1];  // fixed<5,1>  sin(x1)
    const std::int64_t n3 = n0 * n2;  // fixed<10,3>  x0*sin(x1)
    const std::int64_t n4_rounded = (n3 >> 4) + ((n3 >> 3) & 1);
    const std::int64_t n4 = (n4_rounded < -16) ? -16 : (n4_rounded > 15) ? 15 : n4_rounded;  // fixed<5,2>  round(x0*sin(x1)); * / int y; #error no
    const std::int64_t n5 = 1;  // ufixed<1,1>  x0 > 1
    const std::int64_t n6 = (n5 * 8 < n0) ? 1 : 0;  // ufixed<1,1>  x0 > 1
    const std::int64_t n7 = detail::leading_zeros(n1) - 61;  // ufixed<2,2>  x0 > 1
    const std::int64_t n8 = 3;  // ufixed<2,1>  x0 > 1
    const std::int64_t n9 = (n6 != 0) ? n7 * 2 : n8;  // ufixed<3,2>  x0 > 1
    return Outputs{n4, n9};
}

// n samples: in[p][i] is sample i of input port p, out[p][i] that of output port p, ports in the order of the structs.
// The arrays must not overlap.
inline void evaluate([[maybe_unused]] const std::int64_t* const* in, std::int64_t* const* out, std::size_t n) {
    const std::int64_t* __restrict in_x0 = in[0];
    const std::int64_t* __restrict in_x1 = in[1];
    std::int64_t* __restrict out_y = out[0];
    std::int64_t* __restrict out_z = out[1];
    for (std::size_t i = 0; i < n; ++i) {
        const Outputs result = evaluate(Inputs{in_x0[i], in_x1[i]});
        out_y[i] = result.y;
        out_z[i] = result.z;
    }
}

// The codes nearest to real values (ties up, saturated, NaN to 0).
inline Inputs to_codes([[maybe_unused]] const InputValues& values) {
    return Inputs{
        detail::nearest(values.x0, 3, 5, -32, 31),
        detail::nearest(values.x1, 0, 3, 0, 7),
    };
}

// The real values of codes, exact for words of up to 53 bits.
inline OutputValues to_values([[maybe_unused]] const Outputs& codes) {
    return OutputValues{
        std::ldexp(static_cast<double>(codes.y), -3),
        std::ldexp(static_cast<double>(codes.z), -1),
    };
}

}  // namespace golden
