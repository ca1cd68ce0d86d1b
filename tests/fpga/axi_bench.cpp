// One stream through the AXI4-Stream top with gaps in tvalid and a slow receiver: writes the words that came.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "Vdut.h"
#include "verilated.h"

double sc_time_stamp() { return 0; }

int main(int, char **argv) {
    std::vector<std::int32_t> in(std::size_t{1} << 22);
    std::FILE *file = std::fopen(argv[1], "rb");
    in.resize(std::fread(in.data(), sizeof(std::int32_t), in.size(), file));
    std::fclose(file);
    std::FILE *out = std::fopen(argv[2], "wb");
    Vdut dut;
    std::uint32_t state = 1;
    const auto drawn = [&state](std::uint32_t of) {
        return (state = state * 1664525u + 1013904223u) >> 8, (state >> 16) % of;
    };
    const auto edge = [&](bool reset, std::int32_t sample, bool valid, bool ready) {
        dut.aresetn = !reset;
        dut.s_axis_tdata = 0xC000 | sample;  // what lies above the ADC's bits is ignored
        dut.s_axis_tvalid = valid;
        dut.m_axis_tready = ready;
        dut.aclk = 0;
        dut.eval();
        if (dut.m_axis_tvalid && ready) std::fwrite(&dut.m_axis_tdata, sizeof(std::uint64_t), 1, out);
        dut.aclk = 1;
        dut.eval();
    };
    const std::int32_t reset_clocks = in[1], n_samples = in[3];
    for (std::int32_t i = 0; i < reset_clocks; ++i) edge(true, in[4], true, true);
    for (std::int32_t i = 0; i < n_samples;) {
        const bool valid = drawn(3) != 0;
        edge(false, valid ? in[4 + i] : 0, valid, drawn(RECEIVER) == 0);
        i += valid;
    }
    for (int i = 0; i < 100; ++i) edge(false, 0, false, true);
    const std::uint64_t lost = dut.lost;
    std::fwrite(&lost, sizeof lost, 1, out);
    return std::fclose(out);
}
