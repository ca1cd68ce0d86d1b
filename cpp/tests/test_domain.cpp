// Pulses unlike those that a model has seen get their flags: blocks, single pulses, every type, nothing allocated.
#include <algorithm>
#include <cstddef>

#include "allocations.hpp"
#include "check.hpp"
#include "networks.hpp"
#include "records.hpp"

namespace {

using networks::Random;

constexpr int n_samples = 48, window_length = 30, baseline = 1000;

frozen::Content content_for(bool aligned, int scale, Random& random) {
    frozen::Content content;
    content.preparation.window_length = window_length;
    content.preparation.scale = scale;
    content.preparation.aligned = aligned;
    content.preparation.window_start = aligned ? 0 : 8;
    content.preparation.position = 4;
    content.layers = {networks::dense(random, window_length, 3, frozen::tanh)};
    frozen::Domain domain;
    domain.lowest = 100, domain.highest = 4000, domain.quiet = 30, domain.rail = 5999;
    domain.least_spread = 1, domain.most_spread = 10;
    domain.edge_after = 3, domain.edge_until = 6;
    domain.rows = {0, 10, 20}, domain.mean = {0, 0.5f, 0}, domain.weight = {1, 2, 1};
    domain.most_residual = 0.01f;
    content.domain = domain.bytes();
    networks::complete(content, random);
    return content;
}

struct Shape {
    int edge = 12, height = 1000, spread = 4, middle = 50;  // in per cent of the height, at row 10 of the window
};

// A step to the height for 4 samples, then half of it, then nothing.
std::vector<double> record(const Shape& shape) {
    std::vector<double> samples(n_samples, baseline);
    samples[3] += shape.spread;
    for (int i = shape.edge; i < shape.edge + 4; ++i) samples[std::size_t(i)] += shape.height;
    for (int i = shape.edge + 4; i < shape.edge + 9; ++i)
        samples[std::size_t(i)] += shape.height * shape.middle / 100.0;
    return samples;
}

struct Case {
    Shape shape;
    int flags;
};

std::vector<Case> cases(bool aligned) {
    std::vector<Case> all = {
        {{12}, 0},
        {{12, 1000, 0}, DISCRIMEN_BASELINE_NOISE},
        {{12, 1000, 20}, DISCRIMEN_BASELINE_NOISE},
        {{12, 60}, DISCRIMEN_TOO_LOW},
        {{12, 60, 40}, DISCRIMEN_TOO_LOW | DISCRIMEN_EDGE_IN_BASELINE | DISCRIMEN_BASELINE_NOISE},
        {{12, 4500}, DISCRIMEN_TOO_HIGH},
        {{12, 5000}, DISCRIMEN_TOO_HIGH | DISCRIMEN_CLIPPED},
        {{12, 1000, 4, 80}, DISCRIMEN_SHAPE},
        {{12, -1000}, DISCRIMEN_UNPREPARED},
    };
    if (!aligned) {
        all.push_back({{16}, DISCRIMEN_EDGE | DISCRIMEN_SHAPE});
        all.push_back({{11}, DISCRIMEN_EDGE});
        all.push_back({{20}, DISCRIMEN_EDGE | DISCRIMEN_SHAPE});
    }
    return all;
}

void check_flags(bool aligned, int scale, const std::string& set) {
    Random random(5);
    const frozen::Content content = content_for(aligned, scale, random);
    const discrimen::Model model = networks::load(content, set);
    CHECK(model.knows_domain());
    discrimen::Workspace workspace(model);
    const std::vector<Case> wanted = cases(aligned);
    std::vector<std::vector<double>> pulses;
    for (int i = 0; i < 71; ++i) pulses.push_back(record(wanted[std::size_t(i) % wanted.size()].shape));
    for (int type = 0; type < 4; ++type)
        for (const int gap : {0, 2})
            for (const std::size_t at_once : {std::size_t(1), std::size_t(3), pulses.size()}) {
                const check::Context where("type " + std::to_string(type) + ", gap " + std::to_string(gap) + ", " +
                                           std::to_string(at_once) + " at once" + (aligned ? ", aligned" : "") +
                                           ", scale " + std::to_string(scale));
                records::Layout layout;
                layout.type = discrimen_sample_type(type), layout.gap_between_samples = gap;
                const records::Records records(pulses, layout, random);
                std::vector<std::uint16_t> outside(pulses.size() + 1, 0x5555);
                for (std::size_t done = 0; done < pulses.size(); done += at_once) {
                    discrimen::Pulses some = records.view();
                    some.samples = static_cast<const char*>(some.samples) + std::ptrdiff_t(done) * some.pulse_stride;
                    some.n_pulses = std::min(at_once, pulses.size() - done);
                    discrimen::Results results = discrimen_results_to(nullptr);
                    results.outside = outside.data() + done;
                    const std::size_t before = allocations::count();
                    CHECK_EQUAL(model.run(some, workspace, results), DISCRIMEN_OK);
                    CHECK_EQUAL(allocations::count() - before, std::size_t(0));
                }
                for (std::size_t i = 0; i < pulses.size(); ++i) {
                    int flags = wanted[i % wanted.size()].flags;
                    // Without a scale, a pulse that goes the other way is prepared; alignment finds its noise instead.
                    if ((scale == frozen::none || (aligned && scale == frozen::peak)) && flags == DISCRIMEN_UNPREPARED)
                        flags = DISCRIMEN_TOO_LOW;
                    const check::Context number("pulse " + std::to_string(i % wanted.size()));
                    CHECK_EQUAL(int(outside[i]), flags);
                }
                CHECK_EQUAL(outside.back(), 0x5555);
            }
}

void check_unknown_domain(const std::string& set) {
    Random random(6);
    frozen::Content content = content_for(false, frozen::peak, random);
    content.domain.clear();
    const discrimen::Model model = networks::load(content, set);
    CHECK(!model.knows_domain());
    discrimen::Workspace workspace(model);
    const records::Records records({record({})}, {}, random);
    std::uint16_t outside = 7;
    discrimen::Results results = discrimen_results_to(nullptr);
    results.outside = &outside;
    CHECK_EQUAL(model.run(records.view(), workspace, results), DISCRIMEN_UNKNOWN_DOMAIN);
    CHECK_EQUAL(outside, 7);
    results.size = offsetof(discrimen_results, outside);  // of a program that was built before
    CHECK_EQUAL(model.run(records.view(), workspace, results), DISCRIMEN_OK);
}

void check_impossible_domains(const std::string& set) {
    Random random(7);
    frozen::Content content = content_for(false, frozen::peak, random);
    const auto refused = [&](const frozen::Domain& domain) {
        content.domain = domain.bytes();
        CHECK_REFUSED(networks::load(content, set), "domain");
    };
    frozen::Domain domain;
    domain.rows = {window_length};
    refused(domain);
    domain = {}, domain.edge_until = window_length;
    refused(domain);
    domain = {}, domain.edge_after = 3, domain.edge_until = 3;
    refused(domain);
    domain = {}, domain.lowest = 0;
    refused(domain);
    domain = {}, domain.weight = {__builtin_inff()};
    refused(domain);
    domain = {}, domain.rows.assign(33, 0), domain.mean.assign(33, 0), domain.weight.assign(33, 1);
    refused(domain);
    content.domain = frozen::Domain().bytes();
    content.domain.pop_back();
    CHECK_REFUSED(networks::load(content, set), "domain");
    content.domain = frozen::Domain().bytes();
    content.preparation.baseline_stop = 0;
    CHECK_REFUSED(networks::load(content, set), "domain");
}

}  // namespace

int main(int argc, char** argv) {
    const std::string set = networks::instruction_set_from(argc, argv);
    if (set.empty()) return check::skipped;
    return check::run([&] {
        for (const int scale : {frozen::none, frozen::peak, frozen::area})
            for (const bool aligned : {false, true}) check_flags(aligned, scale, set);
        check_unknown_domain(set);
        check_impossible_domains(set);
    });
}
