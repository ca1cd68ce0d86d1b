// Between which scores a curve of thresholds may lie, by height: what decides most pulses without a logarithm.
#pragma once

#include <cstdint>
#include <vector>

#include "discrimen/model.hpp"

namespace discrimen {

// Heights that share their exponent and the first bits of their mantissa share a place.
class DecisionTable {
   public:
    // Of one number it stays empty.
    explicit DecisionTable(const Threshold& threshold);

    // 1 or 0 for each pulse, whose values lie `pitch` floats apart; the same as threshold.passes. Allocates nothing.
    void decide(const Threshold& threshold, const float* scores, std::size_t pitch, const float* height_adc,
                std::size_t n_pulses, std::uint8_t* passes) const noexcept;

   private:
    struct Bounds {
        float sure_below, sure_from;  // scores that fail and pass whatever the height within the place
    };

    std::int32_t first_ = 0;  // place of the first one in the table; heights beyond it or the last belong to these
    std::vector<Bounds> bounds_;
};

}  // namespace discrimen
