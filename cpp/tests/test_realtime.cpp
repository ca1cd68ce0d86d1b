// Under the realtime sanitizer: run and classify call nothing that may wait, whatever the layers and the samples.
//
// With the argument `planted` an allocation is made where none may be: the sanitizer must end the program.
#include <cstdlib>

#include "check.hpp"
#include "networks.hpp"
#include "records.hpp"

namespace {

using networks::Random;

void allocate() noexcept DISCRIMEN_NONBLOCKING {
    void* volatile memory = std::malloc(8);
    std::free(memory);
}

// Every type of sample, one and several pulses; results of every kind.
void check_network(const frozen::Content& content, Random& random) {
    const discrimen::Model model = networks::load(content, "");
    std::vector<std::vector<double>> pulses;
    for (int i = 0; i < 37; ++i)
        pulses.push_back(
            networks::plain_pulse(content.preparation, content.preparation.shortest_record() + 40, random));
    records::Layout layout;
    layout.n_channels = content.preparation.n_channels();
    for (int type = 0; type < 4; ++type) {
        layout.type = discrimen_sample_type(type);
        const records::Records records(pulses, layout, random);
        for (const std::size_t at_once : {std::size_t(1), pulses.size()})
            records::run(model, records.view(), at_once, 5);
    }
    if (model.n_classes() == 0) return;
    discrimen::Workspace workspace(model);
    const records::Records records(pulses, {}, random);
    std::vector<float> scores(pulses.size() * model.n_classes());
    CHECK_EQUAL(model.classify(records.view(), workspace, scores.data()), DISCRIMEN_OK);
}

}  // namespace

int main(int argc, char**) {
    if (argc > 1) return allocate(), 0;
    return check::run([] {
        for (const std::uint32_t code : networks::every_code) {
            const check::Context where(networks::name_of(code));
            Random random(code);
            check_network(networks::one_layer(random, code), random);
            check_network(networks::small_network(random, code), random);
        }
        Random random(1);
        check_network(networks::several_channels(random), random);
        check_network(networks::random_graph(random), random);
    });
}
