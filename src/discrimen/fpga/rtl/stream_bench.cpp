// Drives a top with streams of ADC samples, SAMPLES with each clock, and writes down every decision with its clock.
//
// stream_bench IN OUT: IN holds int32: number of streams, clocks of reset, clocks behind each stream; then for each its
// number of samples and them. OUT: for each decision int64: stream, clock (edges since the one that took sample 0),
// is_neutron, logit_gamma, logit_neutron. AXI: 0 for discrimen_top, 1 for discrimen_axi_stream, whose receiver is
// always ready, and whose register at the output is taken off the clock.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "Vdut.h"
#include "verilated.h"

double sc_time_stamp() { return 0; }

namespace {
std::vector<std::int32_t> read_all(const char *path) {
    std::FILE *file = std::fopen(path, "rb");
    if (!file) std::exit(2);
    std::fseek(file, 0, SEEK_END);
    std::vector<std::int32_t> content(std::ftell(file) / sizeof(std::int32_t));
    std::rewind(file);
    if (std::fread(content.data(), sizeof(std::int32_t), content.size(), file) != content.size()) std::exit(2);
    std::fclose(file);
    return content;
}

// A number of so many bits, with sign, in the low bits of an unsigned port.
std::int64_t with_sign(std::uint64_t bits, int width) {
    const std::uint64_t sign = std::uint64_t{1} << (width - 1);
    return static_cast<std::int64_t>((bits & (2 * sign - 1)) ^ sign) - static_cast<std::int64_t>(sign);
}

// Sample i stands at bit i * lane; with the AXI ports what lies above the ADC's bits must not matter.
std::uint64_t packed(const std::int32_t *samples) {
    constexpr int lane = AXI ? 16 : ADC_BITS;
    constexpr std::uint64_t above = (std::uint64_t{1} << lane) - (std::uint64_t{1} << ADC_BITS);
    std::uint64_t word = 0;
    for (int i = 0; i < SAMPLES; ++i) word |= (static_cast<std::uint64_t>(samples[i]) | above) << (i * lane);
    return word;
}

struct Decision {
    bool valid;
    std::int64_t is_neutron, logit_gamma, logit_neutron;
};

Decision edge(Vdut &dut, const std::int32_t *samples, bool reset) {
#if AXI
    dut.s_axis_tdata = packed(samples);
    dut.s_axis_tvalid = dut.m_axis_tready = 1;
    dut.aresetn = !reset;
    dut.aclk = 0;
    dut.eval();
    dut.aclk = 1;
    dut.eval();
    const std::uint64_t word = dut.m_axis_tdata;
    return {dut.m_axis_tvalid != 0, static_cast<std::int64_t>(word >> 63), with_sign(word, 30),
            with_sign(word >> 32, 30)};
#else
    dut.sample = packed(samples);
    dut.sample_valid = 1;
    dut.rst = reset;
    dut.clk = 0;
    dut.eval();
    dut.clk = 1;
    dut.eval();
    return {dut.valid != 0, dut.is_neutron, with_sign(dut.logit_gamma, LOGIT_BITS),
            with_sign(dut.logit_neutron, LOGIT_BITS)};
#endif
}
}  // namespace

int main(int, char **argv) {
    const auto in = read_all(argv[1]);
    std::FILE *out = std::fopen(argv[2], "wb");
    if (!out) return 2;
    VerilatedContext context;
    Vdut dut(&context);
    const std::int32_t n_streams = in[0], reset_clocks = in[1], behind = in[2];
    std::size_t place = 3;
    for (std::int32_t stream = 0; stream < n_streams; ++stream) {
        const std::int32_t n_samples = in[place++];
        const std::int32_t *samples = in.data() + place;
        place += n_samples;
        std::int32_t word[SAMPLES];
        // Under reset only the first sample of the word counts.
        for (std::int32_t i = 0; i < SAMPLES; ++i) word[i] = samples[std::min(i, n_samples - 1)];
        for (std::int32_t clock = 0; clock < reset_clocks; ++clock) edge(dut, word, true);
        for (std::int32_t clock = 0; clock < (n_samples + SAMPLES - 1) / SAMPLES + behind; ++clock) {
            for (std::int32_t i = 0; i < SAMPLES; ++i) word[i] = samples[std::min(clock * SAMPLES + i, n_samples - 1)];
            const Decision made = edge(dut, word, false);
            if (!made.valid) continue;
            const std::int64_t line[] = {stream, clock - AXI, made.is_neutron, made.logit_gamma, made.logit_neutron};
            std::fwrite(line, sizeof line, 1, out);
        }
    }
    dut.final();
    return std::fclose(out) ? 2 : 0;
}
