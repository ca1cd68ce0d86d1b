#include "score_filter.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace {

constexpr std::size_t kBatch = 1024;  // pulses scored at once at most: their scores stay in the cache

// Event number and time stamp as far as a NEDA or merged frame has them.
void copy_event(const std::uint8_t* frame, std::uint8_t* score_frame) {
    std::uint8_t* number = score_frame + 16;
    std::uint8_t* time = score_frame + 20;
    std::memset(number, 0, 10);
    switch (mfm::frame_type(frame)) {
        case mfm::kNeda: std::memcpy(number, frame + 18, 10); break;  // both, one behind the other
        case mfm::kMergedByNumber: std::memcpy(number, frame + 16, 4); break;
        case mfm::kMergedByTime: std::memcpy(time, frame + 16, 6); break;
    }
}

}  // namespace

ScoreFilter::ScoreFilter(discrimen::Model model, const FilterSettings& settings)
    : model_(std::move(model)),
      workspace_(model_),
      settings_(settings),
      neutron_(model_.class_number("neutron")),
      kept_(2 * settings.largest_frame),
      waiting_(kBatch),
      scores_(kBatch * model_.n_classes()),
      heights_(kBatch),
      outputs_(model_.outputs().size()) {
    if (neutron_ == model_.n_classes()) throw discrimen::Error("the model has no class named neutron");
    std::size_t classes = 0;
    while (model_.outputs()[classes].kind != DISCRIMEN_CLASSES) ++classes;
    outputs_[classes] = scores_.data();
}

void ScoreFilter::forget() noexcept {
    n_kept_ = 0;
    in_step_ = true;
    counts_ = {};
}

narval_error ScoreFilter::process(const std::uint8_t* in, std::size_t in_size, std::uint8_t* out, std::size_t out_size,
                                  std::size_t* used) noexcept {
    const std::size_t n_kept_before = n_kept_;
    const bool in_step_before = in_step_;
    const FilterCounts counts_before = counts_;
    error_ = NARVAL_OK;
    n_waiting_ = 0;
    out_at_ = out;
    out_end_ = out + out_size;

    read_kept(in, in + in_size);
    read_frames();
    if (error_ == NARVAL_OUTPUT_TOO_SMALL) {  // as if the block had never come; the kept bytes are still in their place
        n_kept_ = n_kept_before;
        in_step_ = in_step_before;
        counts_ = counts_before;
        *used = 0;
        return error_;
    }
    score_waiting();
    keep_rest();
    *used = static_cast<std::size_t>(out_at_ - out);
    return error_;
}

// Kept bytes are completed from the block as far as their frames need it. As soon as all of them are used, reading goes
// on in the block itself.
void ScoreFilter::read_kept(const std::uint8_t* in, const std::uint8_t* end) noexcept {
    const std::size_t in_size = static_cast<std::size_t>(end - in);
    std::size_t taken = 0;
    at_ = kept_.data();
    end_ = at_ + n_kept_;
    const std::uint8_t* const end_of_kept = end_;
    while (at_ < end_of_kept) {
        const std::size_t n = step();
        at_ += n;
        if (n > 0) continue;
        if (error_ == NARVAL_OUTPUT_TOO_SMALL || taken == in_size) return;
        const std::size_t missing = needed_ - static_cast<std::size_t>(end_ - at_);
        const std::size_t more = std::min(missing, in_size - taken);
        std::memcpy(kept_.data() + n_kept_ + taken, in + taken, more);
        taken += more;
        end_ += more;
    }
    score_waiting();
    at_ = in + (at_ - end_of_kept);
    end_ = end;
}

void ScoreFilter::read_frames() noexcept {
    if (error_ == NARVAL_OUTPUT_TOO_SMALL) return;
    while (at_ < end_) {
        const std::size_t n = step();
        if (n == 0) return;
        at_ += n;
    }
}

// Handle what lies at at_. Bytes to go on by; 0 if the frame is cut or the output is full.
std::size_t ScoreFilter::step() noexcept {
    const mfm::Look look = mfm::look_at(at_, end_, settings_.largest_frame, !in_step_);
    needed_ = look.size;
    if (look.state == mfm::State::kCut) return 0;
    if (look.state == mfm::State::kDamaged) {
        if (in_step_) ++counts_.damages;
        in_step_ = false;
        error_ = NARVAL_DAMAGED_FRAME;
        return 1;
    }
    in_step_ = true;
    if (emit(at_)) return look.size;
    error_ = NARVAL_OUTPUT_TOO_SMALL;
    return 0;
}

void ScoreFilter::keep_rest() noexcept {
    n_kept_ = static_cast<std::size_t>(end_ - at_);
    if (n_kept_ > 0) std::memmove(kept_.data(), at_, n_kept_);
}

bool ScoreFilter::emit(const std::uint8_t* frame) noexcept {
    std::uint32_t n_pulses = 0;
    bool others = false;
    if (mfm::is_neda(frame)) {
        n_pulses = 1;
    } else if (mfm::is_merged(frame)) {
        mfm::for_each_inside(frame, [&](const std::uint8_t* inside) { n_pulses += mfm::is_neda(inside); });
        others = n_pulses < mfm::n_items(frame);
    }
    if (n_pulses == 0) {
        ++counts_.passed_on;
        return copy(frame);
    }
    if ((settings_.keep_raw || others) && !copy(frame)) return false;
    return write_scores(frame, n_pulses);
}

bool ScoreFilter::copy(const std::uint8_t* frame) noexcept {
    const std::size_t size = mfm::frame_size(frame);
    if (static_cast<std::size_t>(out_end_ - out_at_) < size) return false;
    std::memcpy(out_at_, frame, size);
    out_at_ += size;
    return true;
}

bool ScoreFilter::write_scores(const std::uint8_t* frame, std::uint32_t n_pulses) noexcept {
    const std::size_t size = mfm::kScoreHeader + mfm::kScoreItem * n_pulses;
    if (static_cast<std::size_t>(out_end_ - out_at_) < size) return false;
    mfm::write_header(out_at_, mfm::kScores, size, mfm::kScoreHeader, mfm::kScoreItem, n_pulses, frame[4]);
    copy_event(frame, out_at_);
    mfm::store<std::uint16_t>(out_at_ + 26, mfm::frame_type(frame));
    std::uint8_t* item = out_at_ + mfm::kScoreHeader;
    if (mfm::is_neda(frame)) {
        wait(frame, item);
    } else {
        mfm::for_each_inside(frame, [&](const std::uint8_t* inside) {
            if (!mfm::is_neda(inside)) return;
            wait(inside, item);
            item += mfm::kScoreItem;
        });
    }
    out_at_ += size;
    return true;
}

// Write all of an item but its score, and line the pulse up.
void ScoreFilter::wait(const std::uint8_t* neda, std::uint8_t* item) noexcept {
    std::memset(item, 0, mfm::kScoreItem);
    std::memcpy(item, neda + 22, 6);      // time stamp
    std::memcpy(item + 6, neda + 16, 2);  // location
    item[13] = neda[40];                  // flags of the firmware
    waiting_[n_waiting_++] = {neda + mfm::kNedaHeader, mfm::n_items(neda), item};
    if (n_waiting_ == kBatch) score_waiting();
}

// Pulses in equal steps go to the engine together.
void ScoreFilter::score_waiting() noexcept {
    for (std::size_t first = 0, next; first < n_waiting_; first = next) {
        const Waiting* const run = waiting_.data() + first;
        next = first + 1;
        const std::ptrdiff_t stride = next < n_waiting_ ? run[1].samples - run[0].samples : 0;
        while (next < n_waiting_ && waiting_[next].samples - waiting_[next - 1].samples == stride &&
               waiting_[next].n_samples == run->n_samples)
            ++next;
        score(run, next - first, stride);
    }
    n_waiting_ = 0;
}

void ScoreFilter::score(const Waiting* first, std::size_t n_pulses, std::ptrdiff_t stride) noexcept {
    discrimen::Pulses pulses{};
    pulses.size = sizeof pulses;
    pulses.samples = first->samples;
    pulses.n_pulses = n_pulses;
    pulses.n_samples = first->n_samples;
    pulses.pulse_stride = stride;
    pulses.sample_stride = sizeof(std::uint16_t);
    pulses.type = DISCRIMEN_UINT16;
    pulses.bits = mfm::kAdcMask;
    discrimen::Results results = discrimen_results_to(outputs_.data());
    if (!settings_.threshold.knots.empty()) results.height_adc = heights_.data();
    const discrimen::Status status = model_.run(pulses, workspace_, results);
    if (status != DISCRIMEN_OK && error_ == NARVAL_OK) error_ = NARVAL_NOT_SCORED;

    for (std::size_t i = 0; i < n_pulses; ++i) {
        const float neutron = status == DISCRIMEN_OK ? scores_[i * model_.n_classes() + neutron_] : NAN;
        const bool is_scored = !std::isnan(neutron);
        const bool is_neutron = is_scored && settings_.threshold.passes(neutron, double(heights_[i]));
        mfm::store<float>(first[i].item + 8, neutron);
        first[i].item[12] = !is_scored ? mfm::kNotScored : is_neutron ? mfm::kNeutron : mfm::kNoNeutron;
        ++(is_scored ? counts_.scored : counts_.not_scored);
        counts_.neutrons += is_neutron;
    }
}
