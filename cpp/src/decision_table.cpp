#include "decision_table.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace discrimen {
namespace {

constexpr int dropped_bits = 17;    // of the mantissa: 64 places in a factor of 2
constexpr double rounding = 1e-12;  // relative: far more than that of a threshold between two knots

std::int32_t bits_of(float height) noexcept {
    std::int32_t bits;
    std::memcpy(&bits, &height, sizeof bits);
    return bits;
}

std::int32_t place_of(double height) noexcept {
    const double largest = double(std::numeric_limits<float>::max());
    return bits_of(float(std::min(height, largest))) >> dropped_bits;
}

double start_of(std::int32_t place) noexcept {
    const std::int32_t bits = place << dropped_bits;
    float height;
    std::memcpy(&height, &bits, sizeof height);
    return double(height);
}

// The least float that is not below it.
float rounded_up(double value) noexcept {
    const float nearest = float(value);
    return double(nearest) < value ? std::nextafter(nearest, std::numeric_limits<float>::infinity()) : nearest;
}

}  // namespace

DecisionTable::DecisionTable(const Threshold& threshold) {
    if (threshold.knots.empty()) return;
    first_ = place_of(threshold.knots.front().height_adc);
    const std::int32_t last = place_of(threshold.knots.back().height_adc);
    for (std::int32_t place = first_; place <= last; ++place) {
        const double start = place == first_ ? 0.0 : start_of(place);
        const double stop = place == last ? std::numeric_limits<double>::infinity() : start_of(place + 1);
        double low = std::min(threshold.at(start), threshold.at(stop));
        double high = std::max(threshold.at(start), threshold.at(stop));
        for (const Knot& knot : threshold.knots)
            if (knot.height_adc >= start && knot.height_adc <= stop) {
                low = std::min(low, knot.threshold);
                high = std::max(high, knot.threshold);
            }
        bounds_.push_back({rounded_up(low * (1 - rounding)), rounded_up(high * (1 + rounding))});
    }
}

void DecisionTable::decide(const Threshold& threshold, const float* scores, std::size_t pitch, const float* height_adc,
                           std::size_t n_pulses, std::uint8_t* passes) const noexcept {
    if (bounds_.empty()) {
        for (std::size_t pulse = 0; pulse < n_pulses; ++pulse)
            passes[pulse] = double(scores[pulse * pitch]) >= threshold.value;
        return;
    }
    const auto last = std::int32_t(bounds_.size()) - 1;
    for (std::size_t pulse = 0; pulse < n_pulses; ++pulse) {
        const float score = scores[pulse * pitch], height = height_adc[pulse];
        const std::int32_t place = (bits_of(height) >> dropped_bits) - first_;
        const Bounds bounds = bounds_[std::size_t(place < 0 ? 0 : place < last ? place : last)];
        const bool passing = score >= bounds.sure_from;
        passes[pulse] = passing;
        // Written so that what is no number is not sure.
        if (!((passing | (score < bounds.sure_below)) & (height == height)))
            passes[pulse] = threshold.passes(score, double(height));
    }
}

}  // namespace discrimen
