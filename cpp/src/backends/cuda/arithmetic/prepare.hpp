// Preparation: raw samples to scaled windows.
#pragma once

#include "stage.hpp"

namespace discrimen::cuda {

template <class R>
class Preparation {
   public:
    DISCRIMEN_METHOD Preparation(const Job& job, const Tile& tile, const Samples& samples)
        : plan_(job.plan->preparation), job_(job), tile_(tile), samples_(samples) {}

    // Baseline of one channel of one pulse, and where the baseline window spreads.
    DISCRIMEN_METHOD void find_baseline(std::uint32_t place, int c) const {
        const ChannelPlan& channel = plan_.channels[c];
        const R own = record(place, c);
        origin(place, 2 + c) = there(place, c) ? mean_of(own, channel.baseline_start, channel.baseline_stop) : 0.0;
        if (c == 0 && job_.outside) tile_.spread[place] = spread_of(own, channel.baseline_start, channel.baseline_stop);
    }

    // Where the window of an aligned pulse begins; NaN if it has no leading edge.
    DISCRIMEN_METHOD void find_start(std::uint32_t place) const {
        int reference = plan_.reference;
        float peak = 0;
        bool finite = true;
        for (int c = 0; c < plan_.n_channels; ++c) {
            if (plan_.reference >= 0 ? c != reference : !there(place, c)) continue;
            const float highest = highest_of(record(place, c), samples_.n_samples, level(place, c));
            finite = finite && is_number(highest);
            if (reference < 0 || reference == c || highest > peak) reference = c, peak = highest;
        }
        double crossing = std::nan("");
        if (reference >= 0 && finite && there(place, reference))
            crossing = crossing_of(record(place, reference), samples_.n_samples, level(place, reference), peak,
                                   plan_.fraction);
        const double start = crossing - double(plan_.position);
        origin(place, 0) = plan_.interpolate ? start : std::floor(start);
    }

    // The window of one channel of one pulse, its peak and its sum.
    DISCRIMEN_METHOD void cut(std::uint32_t place, int c) const {
        const double start = plan_.aligned ? origin(place, 0) : 0.0, whole = std::floor(start);
        const bool usable = there(place, c) && start == start;
        const float share = usable ? float(start - whole) : 0.0f;
        const std::int64_t first = usable ? std::int64_t(whole) + plan_.channels[c].window_start : 0;
        const R own = record(place, c);
        const Level<R> own_level = level(place, c);
        float* to = tile_.values + ((std::size_t(c) * plan_.window_length) << tile_.shift) + place;
        float peak = usable ? -HUGE_VALF : 0.0f, sum = 0, lost = 0;
        bool finite = true;
        float here = usable ? value_at(own, own_level, first) : 0.0f;
        for (int i = 0; i < plan_.window_length; ++i) {
            float value = here;
            if (share != 0)
                here = value_at(own, own_level, first + i + 1), value += share * (here - value);
            else if (usable && i + 1 < plan_.window_length)
                here = value_at(own, own_level, first + i + 1);
            to[std::size_t(i) << tile_.shift] = value;
            finite = finite && is_number(value);
            peak = value > peak ? value : peak;
            const float term = value - lost, grown = sum + term;  // what a sum loses is given back to it
            lost = (grown - sum) - term;
            sum = grown;
        }
        tile_.peak[(std::uint32_t(c) << tile_.shift) + place] = finite ? peak : nanf("");
        tile_.sum[(std::uint32_t(c) << tile_.shift) + place] = sum;
    }

    // What scales a pulse, and whether it can be prepared.
    DISCRIMEN_METHOD void find_divisor(std::uint32_t place) const {
        bool finite = true;
        int reference = plan_.reference;
        float peak = 0;
        for (int c = 0; c < plan_.n_channels; ++c) {
            const float highest = tile_.peak[(std::uint32_t(c) << tile_.shift) + place];
            finite = finite && is_number(highest);
            if (plan_.reference >= 0 ? c != reference : !there(place, c)) continue;
            if (reference < 0 || reference == c || highest > peak) reference = c, peak = highest;
        }
        const bool known = reference >= 0 && there(place, reference);
        float divisor = 1;
        if (plan_.scale == Scale::peak) divisor = peak;
        if (plan_.scale == Scale::area && known) divisor = tile_.sum[(std::uint32_t(reference) << tile_.shift) + place];
        bool valid = known && finite && (!plan_.aligned || origin(place, 0) == origin(place, 0));
        if (plan_.scale != Scale::none) valid = valid && peak > 0 && divisor > 0 && is_number(divisor);
        if (!plan_.aligned) origin(place, 0) = 0;
        origin(place, 1) = double(divisor);
        tile_.valid[place] = valid;
        // One over a float may be no normal number: then it divides.
        tile_.factor[place] = divisor > 1e-30f && divisor < 1e30f ? 1.0f / divisor : 0.0f;
    }

    DISCRIMEN_METHOD void scale(std::uint32_t item) const {
        const std::uint32_t place = item & (tile_.width - 1);
        const float factor = tile_.factor[place], value = tile_.values[item];
        const float scaled = factor != 0 ? value * factor : value / float(origin(place, 1));
        tile_.values[item] = tile_.valid[place] ? scaled : 0.0f;
    }

   private:
    DISCRIMEN_METHOD double& origin(std::uint32_t place, int number) const {
        return tile_.origins[(std::uint32_t(number) << tile_.shift) + place];
    }
    DISCRIMEN_METHOD bool there(std::uint32_t place, int c) const {
        const SampleView& view = job_.view;
        return !view.present || view.present[std::ptrdiff_t(tile_.pulse(place)) * view.present_stride + c];
    }
    DISCRIMEN_METHOD R record(std::uint32_t place, int c) const { return samples_.record<R>(tile_, place, c); }
    DISCRIMEN_METHOD Level<R> level(std::uint32_t place, int c) const {
        return {origin(place, 2 + c), plan_.channels[c].polarity};
    }
    // Samples beyond the record are at the baseline.
    DISCRIMEN_METHOD float value_at(const R& own, const Level<R>& own_level, std::int64_t at) const {
        return at >= 0 && at < samples_.n_samples ? own_level.above(own[at]) : 0.0f;
    }

    const PreparationPlan& plan_;
    const Job& job_;
    const Tile& tile_;
    const Samples& samples_;
};

template <class R, class Team>
DISCRIMEN_FUNCTION void prepare_as(const Team& team, const Job& job, const Tile& tile) {
    const PreparationPlan& plan = job.plan->preparation;
    const Samples samples = staged_samples<R>(team, plan, job, tile);
    const Preparation<R> preparation(job, tile, samples);
    const std::uint32_t windows = std::uint32_t(plan.n_channels) << tile.shift, mask = tile.width - 1;
    if (plan.aligned) {
        team.each(windows,
                  [&](std::uint32_t item) { preparation.find_baseline(item & mask, int(item >> tile.shift)); });
        team.each(tile.width, [&](std::uint32_t place) { preparation.find_start(place); });
        team.each(windows, [&](std::uint32_t item) { preparation.cut(item & mask, int(item >> tile.shift)); });
    } else {
        team.each(windows, [&](std::uint32_t item) {
            preparation.find_baseline(item & mask, int(item >> tile.shift));
            preparation.cut(item & mask, int(item >> tile.shift));
        });
    }
    team.each(tile.width, [&](std::uint32_t place) { preparation.find_divisor(place); });
    team.each(windows * std::uint32_t(plan.window_length), [&](std::uint32_t item) { preparation.scale(item); });
}

// The input's values begin with the tile's.
template <class Team>
DISCRIMEN_FUNCTION void prepare(const Team& team, const Job& job, Tile tile) {
    tile.values += job.plan->input << tile.shift;
    by_type(job.view.type, job.aligned, [&](auto record) { prepare_as<decltype(record)>(team, job, tile); });
}

}  // namespace discrimen::cuda
