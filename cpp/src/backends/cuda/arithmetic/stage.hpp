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
        const std::size_t pulse = tile.pulse(place);
        const auto number = std::ptrdiff_t(staged ? pulse - tile.first : pulse);
        return {data + number * pulse_stride + channel * channel_stride, sample_stride, bits};
    }
};

template <class R, class Team>
DISCRIMEN_FUNCTION void copy_samples(const Team& team, const SampleView& view, const Tile& tile, const Needed& needed,
                                     int n_channels, std::size_t pitch) {
    using T = typename R::T;
    const auto length = std::uint32_t(needed.last - needed.first), row = std::uint32_t(n_channels) * length;
    team.each(row * tile.count, [&](std::uint32_t item) {
        const std::uint32_t place = item / row, value = item % row, channel = value / length;
        const char* from = view.data + std::ptrdiff_t(tile.pulse(place)) * view.pulse_stride +
                           std::ptrdiff_t(channel) * view.channel_stride +
                           std::ptrdiff_t(needed.first + int(value % length)) * view.sample_stride;
        const T sample = number_at<T, R::aligned>(from);
        put_number(tile.raw + place * pitch + value * sizeof(T), sample);
    });
}

struct alignas(16) Sixteen {
    std::uint32_t word[4];
};

// `bytes` from a multiple of 16, which is even, to another.
template <class Team>
DISCRIMEN_FUNCTION void copy_span(const Team& team, const char* from, std::uint32_t bytes, char* to) {
    const std::uint32_t whole = bytes / 16, rest = bytes % 16 / 2;
    team.each(whole + rest, [&](std::uint32_t item) {
        if (item < whole) return put_number(to + item * 16, number_at<Sixteen, true>(from + item * 16));
        const std::uint32_t at = whole * 16 + (item - whole) * 2;
        put_number(to + at, number_at<std::uint16_t, true>(from + at));
    });
}

// Rows of whole words.
template <class Team>
DISCRIMEN_FUNCTION void copy_words(const Team& team, const char* from, std::ptrdiff_t stride, std::uint32_t words,
                                   const Tile& tile, std::size_t pitch) {
    team.each(words * tile.count, [&](std::uint32_t item) {
        const std::uint32_t place = item / words, word = item % words;
        const auto value = number_at<std::uint32_t, true>(from + std::ptrdiff_t(place) * stride + word * 4);
        put_number(tile.raw + place * pitch + word * 4, value);
    });
}

// Brings the samples of a tile into its memory if they find room; says where they are to be read.
template <class R, class Team>
DISCRIMEN_FUNCTION Samples staged_samples(const Team& team, const PreparationPlan& plan, const Job& job,
                                          const Tile& tile) {
    const SampleView& view = job.view;
    const Needed needed = needed_of(plan, view.n_samples);
    const int length = needed.last - needed.first;
    const auto size = std::ptrdiff_t(sizeof(typename R::T)), run = length * size, row = plan.n_channels * run;
    std::size_t pitch = staged_pitch(std::size_t(plan.n_channels) * std::size_t(length), std::size_t(size));
    if (pitch * tile.width > job.shape.raw_bytes)
        return {view.data, view.pulse_stride, view.channel_stride, view.sample_stride, view.bits, int(view.n_samples),
                false};
    const char* from = view.data + std::ptrdiff_t(tile.first) * view.pulse_stride + needed.first * size;
    const auto at = reinterpret_cast<std::uintptr_t>(from);
    const bool rows = view.sample_stride == size && (plan.n_channels == 1 || view.channel_stride == run);
    if (rows && view.pulse_stride == row && row % 4 == 2 && at % 16 == 0) {
        pitch = std::size_t(row);  // of an odd number of half words: few neighbours share a bank
        copy_span(team, from, tile.count * std::uint32_t(row), tile.raw);
    } else if (rows && row % 4 == 0 && view.pulse_stride % 4 == 0 && at % 4 == 0) {
        copy_words(team, from, view.pulse_stride, std::uint32_t(row / 4), tile, pitch);
    } else {
        copy_samples<R>(team, view, tile, needed, plan.n_channels, pitch);
    }
    return {tile.raw - needed.first * size, std::ptrdiff_t(pitch), run, size, view.bits, int(view.n_samples), true};
}

}  // namespace discrimen::cuda
