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

std::size_t memory_for(std::size_t n_pulses, std::size_t n_samples, const Layout& layout) {
    const std::size_t step = std::size_t(bytes_of(layout.type) + layout.gap_between_samples);
    const std::size_t row = n_samples * step + std::size_t(layout.gap_between_pulses);
    return n_pulses * row - std::size_t(layout.gap_between_samples + layout.gap_between_pulses);
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
    : memory_(memory_for(pulses.size(), pulses[0].size(), layout)) {
    const int width = bytes_of(layout.type), step = width + layout.gap_between_samples;
    const auto n_samples = std::ptrdiff_t(pulses[0].size()), n_pulses = std::ptrdiff_t(pulses.size());
    const std::ptrdiff_t row = n_samples * step + layout.gap_between_pulses;
    const int n_bits = 8 * width - layout.n_flag_bits;
    const std::uint32_t mask = layout.n_flag_bits == 0 ? 0 : (std::uint32_t(1) << n_bits) - 1;
    for (std::size_t i = 0; i < memory_.size(); ++i) memory_.data()[i] = char(random.bits());

    const std::ptrdiff_t first_pulse = layout.pulses_backwards ? (n_pulses - 1) * row : 0;
    const std::ptrdiff_t first_sample = layout.backwards ? (n_samples - 1) * step : 0;
    view_ = {memory_.data() + first_pulse + first_sample,
             std::size_t(n_pulses),
             std::size_t(n_samples),
             layout.pulses_backwards ? -row : row,
             layout.backwards ? -step : step,
             layout.type,
             mask};
    for (std::ptrdiff_t p = 0; p < n_pulses; ++p)
        for (std::ptrdiff_t i = 0; i < n_samples; ++i) {
            char* at = const_cast<char*>(static_cast<const char*>(view_.samples)) + p * view_.pulse_stride +
                       i * view_.sample_stride;
            put(at, layout.type, pulses[std::size_t(p)][std::size_t(i)], mask == 0 ? 0 : random.bits() & ~mask);
        }
}

std::vector<float> classify(const discrimen::Model& model, discrimen::Pulses pulses, std::size_t at_once) {
    discrimen::Workspace workspace(model);
    const std::size_t n_classes = model.n_classes(), n_pulses = pulses.n_pulses;
    std::vector<float> scores;
    for (std::size_t done = 0; done < n_pulses; done += at_once) {
        pulses.n_pulses = std::min(at_once, n_pulses - done);
        std::vector<float> got(pulses.n_pulses * n_classes + 2, untouched);
        CHECK_EQUAL(model.classify(pulses, workspace, got.data() + 1), DISCRIMEN_OK);
        CHECK(got.front() == untouched && got.back() == untouched);
        scores.insert(scores.end(), got.begin() + 1, got.end() - 1);
        if (done + at_once < n_pulses)
            pulses.samples = static_cast<const char*>(pulses.samples) + std::ptrdiff_t(at_once) * pulses.pulse_stride;
    }
    return scores;
}

void check_scores(const frozen::Content& content, const discrimen::Model& model,
                  const std::vector<std::vector<double>>& pulses, const discrimen::Pulses& view, double tolerance) {
    const std::vector<float> together = classify(model, view, view.n_pulses), single = classify(model, view, 1);
    const std::size_t n_classes = content.classes.size();
    for (std::size_t p = 0; p < pulses.size(); ++p) {
        const std::vector<double> wanted = reference::scores(content, pulses[p]);
        for (std::size_t c = 0; c < n_classes; ++c) {
            const check::Context where("pulse " + std::to_string(p) + ", score " + std::to_string(c));
            CHECK_CLOSE(together[p * n_classes + c], wanted[c], tolerance);
            CHECK_CLOSE(single[p * n_classes + c], wanted[c], tolerance);
        }
    }
}

}  // namespace records
