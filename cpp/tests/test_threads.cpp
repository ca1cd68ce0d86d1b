// One model used by several threads at once, each with a workspace of its own: the scores of one thread.
#include <cstring>
#include <thread>

#include "check.hpp"
#include "networks.hpp"
#include "records.hpp"

namespace {

using networks::Random;

constexpr int n_threads = 4, n_rounds = 20, n_pulses = 75;

frozen::Content network(Random& random) {
    frozen::Content content;
    content.preparation.window_length = 32;
    content.layers = {
        {frozen::reshape, {16, 2}, {}},     networks::conv1d(random, 3, 2, 9, {frozen::gelu, 1, 1, frozen::same}),
        networks::lstm(random, 9, 9, true), {frozen::add, {}, {}, {3, 2}},
        networks::gru(random, 9, 5, false), networks::dense(random, 5, 2, frozen::softmax)};
    networks::complete(content, random);
    return content;
}

// A copy of the model shares its weights; it and its workspace die within the thread.
void classify_often(discrimen::Model model, const discrimen::Pulses& pulses, std::vector<float>& scores) {
    discrimen::Workspace workspace(model);
    for (int round = 0; round < n_rounds; ++round) {
        float* const to[] = {scores.data()};
        model.run(pulses, workspace, discrimen_results_to(to));
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string set = networks::instruction_set_from(argc, argv);
    if (set.empty()) return check::skipped;
    return check::run([&] {
        Random random(1);
        const frozen::Content content = network(random);
        const discrimen::Model model = networks::load(content, set);
        std::vector<std::vector<double>> pulses;
        for (int i = 0; i < n_pulses; ++i) pulses.push_back(networks::plain_pulse(content.preparation, 50, random));
        const records::Records records(pulses, {}, random);
        const std::vector<float> wanted = records::scores(model, records.view(), n_pulses);

        std::vector<std::vector<float>> scores(n_threads, std::vector<float>(wanted.size()));
        std::vector<std::thread> threads;
        for (std::vector<float>& own : scores)
            threads.emplace_back([&] { classify_often(model, records.view(), own); });
        for (std::thread& thread : threads) thread.join();
        for (const std::vector<float>& own : scores)
            CHECK(std::memcmp(own.data(), wanted.data(), wanted.size() * sizeof(float)) == 0);
    });
}
