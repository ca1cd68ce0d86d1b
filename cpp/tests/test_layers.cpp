// Every layer with many random shapes against the reference: whole blocks, a ragged one, single pulses.
#include "check.hpp"
#include "networks.hpp"
#include "records.hpp"

namespace {

using networks::Random;

constexpr double tolerance = 5e-6;
constexpr double tolerance_graph = 1e-4;                     // a dozen layers in any order, normalised again and again
constexpr int n_graphs = 100, n_shapes = 30, n_pulses = 37;  // blocks of 8 to 32 pulses: each has a ragged one

void check_network(const frozen::Content& content, const std::string& set, Random& random, double allowed = tolerance) {
    const discrimen::Model model = networks::load(content, set);
    std::vector<std::vector<double>> pulses;
    for (int i = 0; i < n_pulses; ++i)
        pulses.push_back(networks::plain_pulse(content.preparation, content.preparation.shortest_record(), random));
    const records::Records records(pulses, {}, random);
    records::check_scores(content, model, pulses, records.view(), allowed);
}

void check_random_shapes(const std::string& set) {
    for (const std::uint32_t code : networks::every_code)
        for (int i = 0; i < n_shapes; ++i) {
            const check::Context where(networks::name_of(code) + std::string(" ") + std::to_string(i));
            Random random(1000 * code + std::uint32_t(i));
            check_network(networks::one_layer(random, code), set, random);
        }
}

void check_random_graphs(const std::string& set) {
    for (int i = 0; i < n_graphs; ++i) {
        const check::Context where("graph " + std::to_string(i));
        Random random(50000 + std::uint32_t(i));
        check_network(networks::random_graph(random), set, random, tolerance_graph);
    }
}

// Values of any size, exactly as given: float samples above a baseline of zero, not scaled.
void check_activations(const std::string& set) {
    for (int activation = 0; activation < frozen::n_activations; ++activation)
        for (const double size : {1e-3, 1.0, 10.0, 100.0, 1e4}) {
            if (activation == frozen::exponential && size > 10) continue;
            const check::Context where("activation " + std::to_string(activation) + " up to " + std::to_string(size));
            Random random(static_cast<std::uint32_t>(activation));
            frozen::Content content;
            content.preparation.window_length = 33;
            content.preparation.scale = frozen::none;
            content.layers = {
                {frozen::reshape, {3, 11}, {}}, {frozen::activate, {activation}, {}}, {frozen::flatten, {}, {}}};
            // e to the power of the golden pulses' ADC counts is no number: no output is asked for that activation.
            if (activation == frozen::exponential) {
                content.outputs.emplace_back();
                content.outputs[0].activation = activation;
                content.layers.erase(content.layers.begin() + 1);
            }
            networks::complete(content, random);
            std::vector<std::vector<double>> pulses(n_pulses, std::vector<double>(8 + 33));
            for (std::vector<double>& pulse : pulses)
                for (int i = 8; i < 8 + 33; ++i) pulse[std::size_t(i)] = double(float(random.real(-size, size)));
            records::Layout layout;
            layout.type = DISCRIMEN_FLOAT32;
            const records::Records records(pulses, layout, random);
            records::check_scores(content, networks::load(content, set), pulses, records.view(), tolerance);
        }
}

// Gates that are wide open or shut, and as many steps as a pulse has.
void check_saturated_gates(const std::string& set) {
    for (const bool lstm : {true, false})
        for (const double gain : {1.0, 30.0}) {
            const check::Context where(std::string(lstm ? "LSTM" : "GRU") + " with gain " + std::to_string(gain));
            Random random(17);
            frozen::Content content;
            content.preparation.window_length = 75;
            content.layers = {{frozen::reshape, {75, 1}, {}}};
            content.layers.push_back(lstm ? networks::lstm(random, 1, 16, false, gain)
                                          : networks::gru(random, 1, 16, false, gain));
            // Such weights would multiply the rounding of a state at every step: from the input alone.
            if (gain > 1)
                for (float& value : content.layers[1].arrays[1].values) value = 0;
            networks::complete(content, random);
            check_network(content, set, random);
        }
}

// The usual architectures, end to end.
void check_deep_networks(const std::string& set) {
    Random random(5);
    frozen::Content content;
    content.preparation.window_length = 75;
    content.layers = {networks::dense(random, 75, 10, frozen::tanh), networks::dense(random, 10, 4, frozen::tanh),
                      networks::dense(random, 4, 2, frozen::softmax)};
    networks::complete(content, random);
    check_network(content, set, random);

    content.outputs.clear();
    content.layers = {{frozen::reshape, {75, 1}, {}},
                      networks::conv1d(random, 5, 1, 8, {frozen::relu, 1, 1, frozen::same}),
                      {frozen::max_pooling, {2, 2, frozen::valid}, {}},
                      networks::conv1d(random, 5, 8, 8, {frozen::relu, 1, 2, frozen::same}),
                      {frozen::add, {}, {}, {4, 3}},
                      {frozen::global_average_pooling, {}, {}},
                      networks::dense(random, 8, 2, frozen::softmax)};
    networks::complete(content, random);
    check_network(content, set, random);
}

// So many outputs that their number times that of their tiles does not fit into 32 bits.
void check_wide_layer(const std::string& set) {
    constexpr int n_outputs = 200000;
    Random random(6);
    frozen::Content content;
    content.layers = {networks::dense(random, 1, n_outputs, frozen::relu),
                      networks::dense(random, n_outputs, 2, frozen::softmax)};
    networks::complete(content, random);
    check_network(content, set, random);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string set = networks::instruction_set_from(argc, argv);
    if (set.empty()) return check::skipped;
    return check::run([&] {
        check_random_shapes(set);
        check_random_graphs(set);
        check_activations(set);
        check_saturated_gates(set);
        check_deep_networks(set);
        check_wide_layer(set);
    });
}
