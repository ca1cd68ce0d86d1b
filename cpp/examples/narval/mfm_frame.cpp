#include "mfm_frame.hpp"

namespace mfm {
namespace {

// Of a frame whose first kItemsHeader bytes are there. Nothing but samples may lie between header and end, less than a
// unit of filling behind it.
bool neda_header_fits(const std::uint8_t* frame) {
    const std::size_t size = kNedaHeader + std::size_t{2} * n_items(frame) + sizeof kEndOfNeda;
    return header_size(frame) == kNedaHeader && load<std::uint16_t>(frame + 10) == 2 && size <= frame_size(frame) &&
           frame_size(frame) - size < unit(frame);
}

bool merged_header_fits(const std::uint8_t* frame) {
    const bool by_number = frame_type(frame) == kMergedByNumber;
    const std::size_t least = by_number ? kMergedByNumberHeader : kMergedByTimeHeader;
    return header_size(frame) >= least && header_size(frame) <= frame_size(frame);
}

bool neda_ends_well(const std::uint8_t* frame) {
    return load<std::uint32_t>(frame + kNedaHeader + std::size_t{2} * n_items(frame)) == kEndOfNeda;
}

// The frames inside must fill the merged frame, and NEDA's must be whole.
bool inside_fits(const std::uint8_t* merged) {
    const std::uint8_t* at = merged + header_size(merged);
    const std::uint8_t* end = merged + frame_size(merged);
    for (std::uint32_t i = 0; i < n_items(merged); ++i) {
        const std::size_t left = static_cast<std::size_t>(end - at);
        if (left < kCommonHeader || frame_size(at) < kCommonHeader || frame_size(at) > left) return false;
        if (is_neda(at) && (frame_size(at) < kNedaHeader || !neda_header_fits(at) || !neda_ends_well(at))) return false;
        at += frame_size(at);
    }
    return at == end;
}

}  // namespace

Look look_at(const std::uint8_t* at, const std::uint8_t* end, std::size_t largest, bool known_only) noexcept {
    const std::size_t there = static_cast<std::size_t>(end - at);
    if (there < kCommonHeader) return {State::kCut, kCommonHeader};
    const std::size_t size = frame_size(at);
    const bool known = is_neda(at) || is_merged(at);
    if (size < (known ? kItemsHeader : kCommonHeader) || size > largest || (known_only && !known))
        return {State::kDamaged, 0};
    if (known) {
        if (there < kItemsHeader) return {State::kCut, kItemsHeader};
        if (!(is_neda(at) ? neda_header_fits(at) : merged_header_fits(at))) return {State::kDamaged, 0};
    }
    if (there < size) return {State::kCut, size};
    if (is_neda(at) && !neda_ends_well(at)) return {State::kDamaged, 0};
    if (is_merged(at) && !inside_fits(at)) return {State::kDamaged, 0};
    return {State::kComplete, size};
}

}  // namespace mfm
