// Where the time of a batch goes: the parts of the reference network 75-10-4-2 on one block of pulses in the cache, in
// nanoseconds a pulse, with the instruction set that this file is compiled for. Weights and samples are made up.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#if defined(__AVX512F__)
#define DISCRIMEN_INSTRUCTION_SET avx512
#define DISCRIMEN_NAME "avx512"
#elif defined(__AVX2__)
#define DISCRIMEN_INSTRUCTION_SET avx2
#define DISCRIMEN_NAME "avx2"
#else
#define DISCRIMEN_INSTRUCTION_SET baseline
#define DISCRIMEN_NAME "baseline"
#endif
#include "../src/kernels/kernels.inc"

namespace {

using namespace discrimen;
using namespace discrimen::DISCRIMEN_INSTRUCTION_SET;

constexpr int n_samples = 75, pitch = 16, n_blocks = 64;

float* aligned_floats(std::size_t count) {
    auto* memory = static_cast<float*>(std::aligned_alloc(64, count * sizeof(float)));
    std::fill_n(memory, count, 0.01f);
    return memory;
}

// The best of many rounds, divided by the pulses of a block.
template <class Part>
double ns_per_pulse(Part part) {
    using Clock = std::chrono::steady_clock;
    constexpr int n_calls = 200;
    double best = 1e9;
    for (int round = 0; round < 500; ++round) {
        const auto start = Clock::now();
        for (int call = 0; call < n_calls; ++call) part(call % n_blocks);
        best = std::min(best, std::chrono::duration<double, std::nano>(Clock::now() - start).count());
    }
    return best / n_calls / block;
}

}  // namespace

int main() {
    std::mt19937 random(1);
    std::vector<std::int16_t> samples(n_blocks * block * n_samples);
    for (std::int16_t& sample : samples) sample = static_cast<std::int16_t>(8000 - random() % 1000);
    float *values = aligned_floats(n_samples * block + 64), *others = aligned_floats(n_samples * block + 64);
    const float *weights = aligned_floats((n_samples + 1) * pitch), *bias = aligned_floats(pitch);

    const ChannelPlan channel = {-1, 0, 12, 0};
    PreparationPlan plan = {};
    plan.channels = &channel;
    plan.n_channels = 1;
    plan.window_length = n_samples;
    plan.scale = Scale::peak;
    SampleView view = {};
    view.data = reinterpret_cast<const char*>(samples.data());
    view.n_samples = n_samples;
    view.pulse_stride = 2 * n_samples;
    view.sample_stride = 2;
    view.bits = ~0u;
    Prepared prepared = {};
    const double prepare = ns_per_pulse([&](int number) {
        const Block pulses(view, std::size_t(number) * block, block, nullptr, 3);
        prepared = prepare_block(plan, pulses, false, values, others);
    });
    const Product first = {n_samples + 1, 10, pitch, false, true, prepared.factor};
    const double dense = ns_per_pulse([&](int) { multiply_block(first, values, weights, bias, others); });
    const Product second = {10, 4, pitch, false, true, nullptr}, third = {4, 2, pitch, false, false, nullptr};
    const double rest = ns_per_pulse([&](int) {
        multiply_block(second, others, weights, bias, values);
        multiply_block(third, values, weights, bias, others);
        softmax<block>(others, 1, 2);
    });
    std::vector<float> scores(2 * block);
    const double write = ns_per_pulse([&](int) { write_values(others, prepared, 2, block, scores.data()); });

    const auto start = std::chrono::steady_clock::now();
    const double done = multiply_adds(20000000);
    const double rate = done / std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::printf("%s, ns a pulse: prepare %.1f, dense 75-10 %.1f, 10-4-2 and softmax %.1f, write %.1f, sum %.1f\n",
                DISCRIMEN_NAME, prepare, dense, rest, write, prepare + dense + rest + write);
    std::printf("its 798 multiply-adds at %.1f G/s: %.1f\n", rate / 1e9, 798e9 / rate);
    return 0;
}
