// The model whose file the header holds, as base64 in `embedded_text`.
#pragma once

#include <cstdint>
#include <vector>

#include "discrimen/model.hpp"

namespace discrimen {

namespace {

std::uint32_t six_bits(char letter) {
    if (letter >= 'a') return std::uint32_t(letter - 'a') + 26;
    if (letter >= 'A') return std::uint32_t(letter - 'A');
    if (letter >= '0') return std::uint32_t(letter - '0') + 52;
    return letter == '+' ? 62 : 63;
}

std::vector<std::uint8_t> embedded_content() {
    std::vector<std::uint8_t> content;
    content.reserve(embedded_bytes + 2);
    for (const char* text : embedded_text)
        for (; *text; text += 4) {
            std::uint32_t bits = 0;
            for (int i = 0; i < 4; ++i) bits = bits << 6 | (text[i] == '=' ? 0 : six_bits(text[i]));
            for (const int shift : {16, 8, 0}) content.push_back(std::uint8_t(bits >> shift & 0xff));
        }
    content.resize(embedded_bytes);
    return content;
}

}  // namespace

// Load it, as Model::from_memory does: once at the start, and keep it.
inline Model embedded(const LoadOptions& options = {}) {
    const std::vector<std::uint8_t> content = embedded_content();
    return Model::from_memory(content.data(), content.size(), options);
}

}  // namespace discrimen
