// Raw samples of a tile brought into its own memory, together: then they are read there as often as one likes.
#pragma once

#include "needed.hpp"
#include "record.hpp"

namespace discrimen::cuda {

// A tile's samples where they are to be read: sample i of channel c of place p, counted from the first of the record.
struct Samples {
    const char* data;  // as if of sample 0 of the first place
    std::ptrdiff_t pulse_stride, channel_stride, sample_stride;
    std::uint32_t bits;
    int n_samples;
    bool staged;

    template <class R>
    DISCRIMEN_METHOD R record(const Tile& tile, std::uint32_t place, int channel) const {
        const auto number = staged ? std::ptrdiff_t(place) : std::ptrdiff_t(tile.pulse(place));
        return {data + number * pulse_stride + channel * channel_stride, sample_stride, bits};
    }
};

template <class R, class Team>
DISCRIMEN_FUNCTION void copy_samples(const Team& team, const SampleView& view, const Tile& tile, const Needed& needed,
                                     int n_channels, std::size_t pitch) {
    using T = typename R::T;
    const auto length = std::uint32_t(needed.last - needed.first), row = std::uint32_t(n_channels) * length;
    team.each(row << tile.shift, [&](std::uint32_t item) {
        const std::uint32_t place = item / row, value = item % row, channel = value / length;
        const char* from = view.data + std::ptrdiff_t(tile.pulse(place)) * view.pulse_stride +
                           std::ptrdiff_t(channel) * view.channel_stride +
                           std::ptrdiff_t(needed.first + int(value % length)) * view.sample_stride;
        const T sample = number_at<T, R::aligned>(from);
        put_number(tile.raw + place * pitch + value * sizeof(T), sample);
    });
}

template <class R, class Team>
DISCRIMEN_FUNCTION Samples staged_samples(const Team& team, const PreparationPlan& plan, const Job& job,
                                          const Tile& tile) {
    const SampleView& view = job.view;
    const Needed needed = needed_of(plan, view.n_samples);
    const int length = needed.last - needed.first;
    const auto size = std::ptrdiff_t(sizeof(typename R::T));
    const std::size_t pitch = staged_pitch(std::size_t(plan.n_channels) * std::size_t(length), sizeof(typename R::T));
    if (pitch * tile.width > job.shape.raw_bytes)
        return {view.data, view.pulse_stride, view.channel_stride, view.sample_stride, view.bits, int(view.n_samples),
                false};
    copy_samples<R>(team, view, tile, needed, plan.n_channels, pitch);
    return {tile.raw - needed.first * size,
            std::ptrdiff_t(pitch),
            length * size,
            size,
            view.bits,
            int(view.n_samples),
            true};
}

}  // namespace discrimen::cuda
