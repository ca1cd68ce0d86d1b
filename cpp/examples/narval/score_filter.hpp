// Frames in, frames and scores out. What the actor does, without NARVAL around it.
//
// - A NEDA frame becomes a score frame with one item, a merged frame one with an item for each NEDA frame inside.
// - Frames of other detectors are passed on untouched, and so is a merged frame that holds one, ahead of its scores.
// - A frame that the end of the block cuts is kept and goes on with the next block.
// - Behind a damaged frame, reading goes on at the next NEDA or merged frame.
//
// Samples are never copied: NEDA frames that lie behind one another in equal steps are scored in one call, with the
// step as stride and the 14 bits of the ADC as `bits`. The one exception is the frame that a block boundary cuts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "discrimen/model.hpp"
#include "mfm_frame.hpp"
#include "narval_actor.h"

struct FilterSettings {
    discrimen::Threshold threshold = {"", 0.5, 0, {}};  // on the neutron score
    bool keep_raw = false;                              // every frame is passed on, its scores behind it
    std::size_t largest_frame = 1 << 20;                // bytes; anything longer is taken for damage
};

struct FilterCounts {
    std::uint64_t scored = 0, neutrons = 0, not_scored = 0, passed_on = 0, damages = 0;
};

class ScoreFilter {
   public:
    // Everything is allocated here. Throws discrimen::Error if the model does not know neutrons.
    ScoreFilter(discrimen::Model model, const FilterSettings& settings);

    // One block. `*used` bytes are written to `out`. Allocates nothing.
    narval_error process(const std::uint8_t* in, std::size_t in_size, std::uint8_t* out, std::size_t out_size,
                         std::size_t* used) noexcept;

    void forget() noexcept;  // what was kept of a cut frame, and the counts
    const FilterCounts& counts() const noexcept { return counts_; }

   private:
    struct Waiting {
        const std::uint8_t* samples;
        std::size_t n_samples;
        std::uint8_t* item;  // in the output
    };

    void read_kept(const std::uint8_t* in, const std::uint8_t* end) noexcept;
    void read_frames() noexcept;
    std::size_t step() noexcept;
    void keep_rest() noexcept;

    bool emit(const std::uint8_t* frame) noexcept;
    bool copy(const std::uint8_t* frame) noexcept;
    bool write_scores(const std::uint8_t* frame, std::uint32_t n_pulses) noexcept;

    void wait(const std::uint8_t* neda, std::uint8_t* item) noexcept;
    void score_waiting() noexcept;
    void score(const Waiting* first, std::size_t n_pulses, std::ptrdiff_t stride) noexcept;

    discrimen::Model model_;
    discrimen::Workspace workspace_;
    FilterSettings settings_;
    std::size_t neutron_;
    FilterCounts counts_;
    narval_error error_ = NARVAL_OK;

    const std::uint8_t* at_ = nullptr;  // what is being read: the block, or kept_
    const std::uint8_t* end_ = nullptr;
    std::size_t needed_ = 0;  // bytes from at_ on that a cut frame asks for
    bool in_step_ = true;     // false behind damage, until the next whole frame

    std::vector<std::uint8_t> kept_;  // a cut frame, and room to complete it
    std::size_t n_kept_ = 0;

    std::uint8_t* out_at_ = nullptr;
    std::uint8_t* out_end_ = nullptr;

    std::vector<Waiting> waiting_;  // pulses that have their place in the output, but no score yet
    std::size_t n_waiting_ = 0;
    std::vector<float> scores_, heights_;
    std::vector<float*> outputs_;  // one for each output of the model: the scores, and no others
};
