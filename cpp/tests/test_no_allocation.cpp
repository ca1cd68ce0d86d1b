// Nothing is allocated in run: every layer, every type of sample, blocks and single pulses.
#include <cstdlib>

#include "allocations.hpp"
#include "check.hpp"
#include "networks.hpp"
#include "records.hpp"

namespace {

using networks::Random;

void check_that_counting_works() {
    const std::size_t before = allocations::count();
    int* volatile by_new = new int(1);
    void* volatile by_malloc = std::malloc(8);
    void* volatile aligned = std::aligned_alloc(64, 64);
    CHECK_EQUAL(allocations::count() - before, std::size_t(3));
    delete by_new;
    std::free(by_malloc);
    std::free(aligned);

    constexpr std::size_t many = 100000;
    const std::size_t bytes = allocations::live_bytes();
    void* volatile large = std::malloc(many);
    CHECK(allocations::live_bytes() >= bytes + many);
    std::free(large);
    CHECK_EQUAL(allocations::live_bytes(), bytes);
}

// The engine's own library must be counted too, not this program alone.
void check_that_the_engine_is_counted(const discrimen::Model& model) {
    const std::size_t before = allocations::count();
    const discrimen::Workspace workspace(model);
    CHECK(allocations::count() > before);
}

void check_run(const frozen::Content& content, const discrimen::Model& model, Random& random) {
    discrimen::Workspace workspace(model);
    const int n_samples = content.preparation.shortest_record() + 40;
    std::vector<std::vector<double>> pulses;
    for (int i = 0; i < 70; ++i) pulses.push_back(networks::plain_pulse(content.preparation, n_samples, random));
    std::vector<float> values(pulses.size() * model.outputs()[0].n_values);
    std::vector<double> restoration(pulses.size() * 3);
    float* const to[] = {values.data()};
    discrimen::Results results = discrimen_results_to(to);
    results.restoration = restoration.data();
    results.seed = 1;
    for (int type = 0; type < 4; ++type)
        for (const int gap : {0, 2}) {
            records::Layout layout;
            layout.type = discrimen_sample_type(type), layout.gap_between_samples = gap;
            const records::Records records(pulses, layout, random);
            for (const std::size_t n_pulses : {std::size_t(1), std::size_t(3), pulses.size()}) {
                discrimen::Pulses some = records.view();
                some.n_pulses = n_pulses;
                const std::size_t before = allocations::count();
                const discrimen::Status status = model.run(some, workspace, results);
                const std::size_t after = allocations::count();
                CHECK_EQUAL(status, DISCRIMEN_OK);
                CHECK_EQUAL(after - before, std::size_t(0));
            }
        }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string set = networks::instruction_set_from(argc, argv);
    if (set.empty()) return check::skipped;
    if (!allocations::can_count()) return check::skip(allocations::why_not);
    return check::run([&] {
        check_that_counting_works();
        for (const std::uint32_t code : networks::every_code)
            for (const int aligned : {0, 1}) {
                const check::Context where(networks::name_of(code));
                Random random(code);
                frozen::Content content = networks::one_layer(random, code);
                content.preparation.aligned = aligned;
                if (aligned) content.preparation.window_start = 0;
                content.preparation.position = -1;  // a window of one sample holds one behind the crossing
                content.preparation.baseline_stop = 2;
                const int n_values = int(content.outputs[0].shape[0]);
                content.layers.push_back(networks::dense(random, n_values, 2, frozen::tanh));
                content.outputs.clear();
                networks::complete(content, random);
                const discrimen::Model model = networks::load(content, set);
                check_that_the_engine_is_counted(model);
                check_run(content, model, random);
            }
    });
}
