// Drives the encoder's top with streams of ADC samples, one a clock, and writes down every code with its clock.
//
// encoder_bench IN OUT: IN as that of stream_bench.cpp. OUT: for each code int64: stream, clock (edges since the one
// that took sample 0), then the words with their sign.
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

// A port of up to 64 bits is a number, a wider one a row of 32-bit pieces.
bool bit_of(std::uint64_t port, int bit) { return port >> bit & 1; }
template <class Wide>
bool bit_of(const Wide &port, int bit) {
    return port.at(bit / 32) >> (bit % 32) & 1;
}

template <class Port>
std::int64_t word_of(const Port &port, int word) {
    std::uint64_t bits = 0;
    for (int bit = 0; bit < WORD_BITS; ++bit)
        bits |= static_cast<std::uint64_t>(bit_of(port, word * WORD_BITS + bit)) << bit;
    const std::uint64_t top = std::uint64_t{1} << (WORD_BITS - 1);
    return static_cast<std::int64_t>(bits ^ top) - static_cast<std::int64_t>(top);
}
}  // namespace

int main(int, char **argv) {
    const auto in = read_all(argv[1]);
    std::FILE *out = std::fopen(argv[2], "wb");
    if (!out) return 2;
    VerilatedContext context;
    Vdut dut(&context);
    const auto edge = [&dut](std::int32_t sample, bool reset) {
        dut.sample = static_cast<std::uint32_t>(sample);
        dut.rst = reset;
        dut.clk = 0;
        dut.eval();
        dut.clk = 1;
        dut.eval();
    };
    dut.sample_valid = 1;
    const std::int32_t n_streams = in[0], reset_clocks = in[1], behind = in[2];
    std::size_t place = 3;
    for (std::int32_t stream = 0; stream < n_streams; ++stream) {
        const std::int32_t n_samples = in[place++];
        const std::int32_t *samples = in.data() + place;
        place += n_samples;
        for (std::int32_t clock = 0; clock < reset_clocks; ++clock) edge(samples[0], true);
        for (std::int32_t clock = 0; clock < n_samples + behind; ++clock) {
            edge(clock < n_samples ? samples[clock] : samples[n_samples - 1], false);
            if (!dut.valid) continue;
            std::vector<std::int64_t> row = {stream, clock};
            for (int word = 0; word < WORDS; ++word) row.push_back(word_of(dut.code, word));
            std::fwrite(row.data(), sizeof(std::int64_t), row.size(), out);
        }
    }
    dut.final();
    return std::fclose(out) ? 2 : 0;
}
