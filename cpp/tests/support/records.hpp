// Raw samples laid out in memory in every way that the engine takes, with nothing readable behind the last one.
#pragma once

#include <cstddef>
#include <vector>

#include "discrimen/model.hpp"
#include "networks.hpp"

namespace records {

// Memory that ends where a page begins that nobody may touch.
class Guarded {
   public:
    explicit Guarded(std::size_t size);
    ~Guarded();
    Guarded(const Guarded&) = delete;
    Guarded& operator=(const Guarded&) = delete;
    char* data() const { return end_ - size_; }
    std::size_t size() const { return size_; }

   private:
    std::size_t size_, mapped_;
    char *start_, *end_;
};

struct Layout {
    discrimen_sample_type type = DISCRIMEN_INT16;
    int gap_between_samples = 0, gap_between_pulses = 0;  // bytes beyond those of the samples
    bool backwards = false, pulses_backwards = false;     // strides are negative
    int n_flag_bits = 0;                                  // above the sample, random; not among `bits`
    int n_channels = 1, gap_between_channels = 0;
};

int bytes_of(discrimen_sample_type type);

class Records {
   public:
    // Samples of each pulse, channel after channel; the flag bits are above the lowest (width - n_flag_bits).
    Records(const std::vector<std::vector<double>>& pulses, const Layout& layout, networks::Random& random);
    const discrimen::Pulses& view() const { return view_; }
    const char* data() const { return memory_.data(); }  // of all samples, wherever the first one is
    std::size_t size() const { return memory_.size(); }

   private:
    Guarded memory_;
    discrimen::Pulses view_;
};

// Everything that a model says of pulses.
struct Results {
    std::vector<std::vector<float>> outputs;
    std::vector<double> restoration;  // (pulse, 2 + channel)
};

// Of all pulses, sent `at_once` at a time; checks that nothing is written around them.
Results run(const discrimen::Model& model, discrimen::Pulses pulses, std::size_t at_once, std::uint64_t seed = 0);

// The first output.
std::vector<float> scores(const discrimen::Model& model, const discrimen::Pulses& pulses, std::size_t at_once);

// Checks every output of whole batches and of single pulses against the reference.
void check_scores(const frozen::Content& content, const discrimen::Model& model,
                  const std::vector<std::vector<double>>& pulses, const discrimen::Pulses& view, double tolerance);

}  // namespace records
