// Thresholds that follow the height of the pulse.
#include <algorithm>
#include <cmath>

#include "discrimen/model.hpp"

namespace discrimen {
namespace {

double logit_of(double threshold) noexcept { return std::log(threshold) - std::log1p(-threshold); }

// The first knot of the two that a height lies between.
const Knot* knot_below(const std::vector<Knot>& knots, double height) noexcept {
    const Knot* knot = knots.data();
    while (knot + 2 < knots.data() + knots.size() && height >= knot[1].height_adc) ++knot;
    return knot;
}

}  // namespace

double Threshold::at(double height_adc) const noexcept {
    if (knots.empty()) return value;
    if (std::isnan(height_adc)) return height_adc;
    const Knot* const knot = knot_below(knots, height_adc);
    const Knot below = knot[0], above = knot[1];
    if (height_adc <= below.height_adc) return below.threshold;
    if (height_adc >= above.height_adc) return above.threshold;
    const double share = std::log(height_adc / below.height_adc) / std::log(above.height_adc / below.height_adc);
    const double first = logit_of(below.threshold), logit = first + share * (logit_of(above.threshold) - first);
    const auto [low, high] = std::minmax(below.threshold, above.threshold);
    return std::min(std::max(1 / (1 + std::exp(-logit)), low), high);
}

bool Threshold::passes(float score, double height_adc) const noexcept {
    if (knots.empty()) return double(score) >= value;
    if (std::isnan(score) || std::isnan(height_adc)) return false;
    const Knot* const knot = knot_below(knots, height_adc);
    if (double(score) >= std::max(knot[0].threshold, knot[1].threshold)) return true;
    if (double(score) < std::min(knot[0].threshold, knot[1].threshold)) return false;
    return double(score) >= at(height_adc);
}

}  // namespace discrimen
