#include "records.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <new>

#include "check.hpp"
#include "reference.hpp"

namespace records {
namespace {

constexpr float untouched = -12345.0f;

// Bytes from one sample, channel, pulse to the next.
struct Steps {
    std::ptrdiff_t sample, channel, pulse, n_samples;
};

Steps steps_of(const Layout& layout, std::size_t n_values) {
    Steps steps;
    steps.n_samples = std::ptrdiff_t(n_values) / layout.n_channels;
    steps.sample = bytes_of(layout.type) + layout.gap_between_samples;
    steps.channel = steps.n_samples * steps.sample + layout.gap_between_channels;
    steps.pulse = layout.n_channels * steps.channel + layout.gap_between_pulses;
    return steps;
}

std::size_t memory_for(std::size_t n_pulses, const Steps& steps, const Layout& layout) {
    return n_pulses * std::size_t(steps.pulse) -
           std::size_t(layout.gap_between_samples + layout.gap_between_channels + layout.gap_between_pulses);
}

void put(char* at, discrimen_sample_type type, double sample, std::uint32_t flags) {
    if (type == DISCRIMEN_FLOAT32) {
        const auto value = float(sample);
        std::memcpy(at, &value, sizeof value);
    } else {
        const std::uint32_t bits = std::uint32_t(std::int32_t(sample)) | flags;
        std::memcpy(at, &bits, std::size_t(bytes_of(type)));  // little-endian: the low bytes come first
    }
}

}  // namespace

Guarded::Guarded(std::size_t size) : size_(size) {
    const auto page = std::size_t(sysconf(_SC_PAGESIZE));
    mapped_ = (size + page - 1) / page * page + page;
    void* got = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (got == MAP_FAILED) throw std::bad_alloc();
    start_ = static_cast<char*>(got);
    end_ = start_ + mapped_ - page;
    if (mprotect(end_, page, PROT_NONE) != 0) throw std::bad_alloc();
}

Guarded::~Guarded() { munmap(start_, mapped_); }

int bytes_of(discrimen_sample_type type) { return type == DISCRIMEN_INT16 || type == DISCRIMEN_UINT16 ? 2 : 4; }

Records::Records(const std::vector<std::vector<double>>& pulses, const Layout& layout, networks::Random& random)
    : memory_(memory_for(pulses.size(), steps_of(layout, pulses[0].size()), layout)) {
    const Steps steps = steps_of(layout, pulses[0].size());
    const int n_bits = 8 * bytes_of(layout.type) - layout.n_flag_bits;
    const auto n_pulses = std::ptrdiff_t(pulses.size());
    const std::uint32_t bits = layout.n_flag_bits == 0 ? 0 : (std::uint32_t(1) << n_bits) - 1;
    for (std::size_t i = 0; i < memory_.size(); ++i) memory_.data()[i] = char(random.bits());

    const std::ptrdiff_t first_pulse = layout.pulses_backwards ? (n_pulses - 1) * steps.pulse : 0;
    const std::ptrdiff_t first_sample = layout.backwards ? (steps.n_samples - 1) * steps.sample : 0;
    view_ = discrimen::Pulses{};
    view_.size = sizeof view_;
    view_.samples = memory_.data() + first_pulse + first_sample;
    view_.n_pulses = std::size_t(n_pulses);
    view_.n_samples = std::size_t(steps.n_samples);
    view_.pulse_stride = layout.pulses_backwards ? -steps.pulse : steps.pulse;
    view_.sample_stride = layout.backwards ? -steps.sample : steps.sample;
    view_.type = layout.type;
    view_.bits = bits;
    view_.n_channels = std::size_t(layout.n_channels);
    view_.channel_stride = steps.channel;
    for (std::ptrdiff_t p = 0; p < n_pulses; ++p)
        for (std::ptrdiff_t i = 0; i < std::ptrdiff_t(pulses[0].size()); ++i) {
            char* at = const_cast<char*>(static_cast<const char*>(view_.samples)) + p * view_.pulse_stride +
                       i / steps.n_samples * steps.channel + i % steps.n_samples * view_.sample_stride;
            put(at, layout.type, pulses[std::size_t(p)][std::size_t(i)], bits == 0 ? 0 : random.bits() & ~bits);
        }
}

namespace {

// Room for results of some pulses, with a value before and behind that must stay.
class Room {
   public:
    Room(const discrimen::Model& model, std::size_t n_pulses)
        : restoration_(n_pulses * (2 + model.n_channels()) + 2, untouched) {
        for (const discrimen::Output& output : model.outputs())
            outputs_.emplace_back(n_pulses * output.n_values + 2, untouched);
        for (std::vector<float>& output : outputs_) pointers_.push_back(output.data() + 1);
    }

    discrimen::Results results(std::uint64_t seed) {
        discrimen::Results wanted = discrimen_results_to(pointers_.data());
        wanted.restoration = restoration_.data() + 1;
        wanted.seed = seed;
        return wanted;
    }

    void append_to(Results& all) const {
        for (std::size_t i = 0; i < outputs_.size(); ++i) {
            CHECK(outputs_[i].front() == untouched && outputs_[i].back() == untouched);
            all.outputs[i].insert(all.outputs[i].end(), outputs_[i].begin() + 1, outputs_[i].end() - 1);
        }
        CHECK(restoration_.front() == untouched && restoration_.back() == untouched);
        all.restoration.insert(all.restoration.end(), restoration_.begin() + 1, restoration_.end() - 1);
    }

   private:
    std::vector<std::vector<float>> outputs_;
    std::vector<float*> pointers_;
    std::vector<double> restoration_;
};

}  // namespace

Results run(const discrimen::Model& model, discrimen::Pulses pulses, std::size_t at_once, std::uint64_t seed) {
    discrimen::Workspace workspace(model);
    Results all;
    all.outputs.resize(model.outputs().size());
    const std::size_t n_pulses = pulses.n_pulses;
    for (std::size_t done = 0; done < n_pulses; done += at_once) {
        pulses.n_pulses = std::min(at_once, n_pulses - done);
        Room room(model, pulses.n_pulses);
        CHECK_EQUAL(model.run(pulses, workspace, room.results(seed)), DISCRIMEN_OK);
        room.append_to(all);
        if (done + at_once >= n_pulses) break;
        pulses.samples = static_cast<const char*>(pulses.samples) + std::ptrdiff_t(at_once) * pulses.pulse_stride;
        if (pulses.present) pulses.present += std::ptrdiff_t(at_once) * pulses.present_stride;
    }
    return all;
}

std::vector<float> scores(const discrimen::Model& model, const discrimen::Pulses& pulses, std::size_t at_once) {
    return run(model, pulses, at_once).outputs[0];
}

void check_scores(const frozen::Content& content, const discrimen::Model& model,
                  const std::vector<std::vector<double>>& pulses, const discrimen::Pulses& view, double tolerance) {
    const Results together = run(model, view, view.n_pulses), single = run(model, view, 1);
    for (std::size_t p = 0; p < pulses.size(); ++p) {
        reference::Present present;
        if (view.present) {
            const std::uint8_t* row = view.present + std::ptrdiff_t(p) * view.present_stride;
            present.assign(row, row + view.n_channels);
        }
        const std::vector<std::vector<double>> wanted = reference::results(content, pulses[p], present);
        for (std::size_t o = 0; o < wanted.size(); ++o)
            for (std::size_t i = 0; i < wanted[o].size(); ++i) {
                const std::size_t at = p * wanted[o].size() + i;
                if (check::close(together.outputs[o][at], wanted[o][i], tolerance) &&
                    check::close(single.outputs[o][at], wanted[o][i], tolerance)) {
                    check::n_checks += 2;
                    continue;
                }
                const check::Context where("pulse " + std::to_string(p) + ", output " + std::to_string(o) + ", value " +
                                           std::to_string(i));
                CHECK_CLOSE(together.outputs[o][at], wanted[o][i], tolerance);
                CHECK_CLOSE(single.outputs[o][at], wanted[o][i], tolerance);
            }
    }
}

}  // namespace records
