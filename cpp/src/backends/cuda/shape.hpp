// How wide a tile is, and whether its memory is a block's own or the device's.
#pragma once

#include "arithmetic/is_chain.hpp"
#include "arithmetic/needed.hpp"
#include "arithmetic/tile.hpp"

namespace discrimen::cuda {

struct TileChoice {
    TileShape shape;
    bool shared;  // fits into the memory that a block of threads has for itself
};

inline TileShape shape_with(const NetworkPlan& plan, std::uint32_t shift, std::size_t raw) {
    const std::size_t floats = (floats_of_pulse(plan) * sizeof(float)) << shift;
    return {std::uint32_t(1) << shift, shift, std::uint32_t(raw), (floats + raw + 15) / 16 * 16};
}

inline TileShape shape_of(const NetworkPlan& plan, std::uint32_t shift, std::size_t bytes_of_sample) {
    const PreparationPlan& p = plan.preparation;
    // The length of a record is not known here: an aligned window lies somewhere within twice its length, or is not
    // staged.
    const Needed needed = needed_of(p, 2 * std::size_t(p.window_length));
    const std::size_t n_values = std::size_t(p.n_channels) * std::size_t(needed.last - needed.first);
    const std::size_t width = std::size_t(1) << shift;
    const std::size_t raw = bytes_of_sample > 0 ? staged_pitch(n_values, bytes_of_sample) * width : 0;
    return shape_with(plan, shift, raw < (std::size_t(1) << 31) ? raw : 0);
}

// For few pulses: as narrow as gives each block one tile.
inline TileShape narrowed(const NetworkPlan& plan, const TileShape& shape, std::size_t n_pulses, std::size_t n_blocks) {
    std::uint32_t shift = shape.shift;
    while (shift > narrowest_shift && (n_blocks << (shift - 1)) >= n_pulses) --shift;
    return shift == shape.shift ? shape : shape_with(plan, shift, shape.raw_bytes >> (shape.shift - shift));
}

// Of a chain of small Dense layers.
inline TileShape chain_shape(const NetworkPlan& plan, std::uint32_t shift) {
    const Needed needed = needed_of(plan.preparation, 0);
    const std::size_t raw = staged_pitch(std::size_t(needed.last - needed.first), 2) << shift;
    return {std::uint32_t(1) << shift, shift, std::uint32_t(raw), (raw + 15) / 16 * 16};
}

// For few pulses: as narrow as gives each block one tile.
inline TileShape chain_shape_for(const NetworkPlan& plan, std::size_t n_pulses, std::size_t n_blocks) {
    std::uint32_t shift = chain_shift;
    while (shift > narrowest_shift && (n_blocks << (shift - 1)) >= n_pulses) --shift;
    return chain_shape(plan, shift);
}

// Whether a plan is a chain whose tiles leave room for several blocks that share `most` bytes.
inline bool fits_chain(const NetworkPlan& plan, std::size_t most) {
    return is_chain(plan) && chain_shape(plan, chain_shift).bytes <= most / 3;
}

// `most`: bytes of shared memory that a block may have. Several blocks at once hide what one waits for.
inline TileChoice choose_tile(const NetworkPlan& plan, std::size_t most) {
    constexpr std::size_t blocks[] = {1, 2, 3};  // that share `most`, by width
    for (std::uint32_t shift = widest_shift; shift >= 5; --shift)
        for (const std::size_t bytes_of_sample : {4, 2}) {
            const TileShape shape = shape_of(plan, shift, bytes_of_sample);
            if (shape.bytes <= most / blocks[shift - 5]) return {shape, true};
        }
    const TileShape bare = shape_of(plan, 5, 0);
    return {bare, bare.bytes <= most};
}

}  // namespace discrimen::cuda
