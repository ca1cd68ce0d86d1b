// Takes values from a section of a file, one after the other, and never reads beyond its end.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "discrimen/model.hpp"

namespace discrimen {

class Cursor {
   public:
    Cursor(std::string_view content, const char* name) : content_(content), name_(name) {}

    std::size_t left() const { return content_.size(); }

    template <class T>
    T take() {
        T value;
        take_bytes(sizeof(T)).copy(reinterpret_cast<char*>(&value), sizeof(T));
        return value;
    }

    template <class T>
    std::vector<T> take_many(std::size_t count) {
        if (count > left() / sizeof(T)) fail(count, sizeof(T));
        const std::string_view bytes = take_bytes(count * sizeof(T));
        std::vector<T> values(count);
        if (count > 0) std::memcpy(values.data(), bytes.data(), bytes.size());
        return values;
    }

    std::string take_name() {
        const std::size_t length = content_.find('\0');
        if (length == std::string_view::npos) throw Error(std::string(name_) + ": a name has no end");
        std::string name(take_bytes(length));
        take_bytes(1);
        return name;
    }

    void finish() const {
        if (left() > 0) throw Error(std::string(name_) + ": " + std::to_string(left()) + " bytes too many at the end");
    }

   private:
    std::string_view take_bytes(std::size_t count) {
        if (count > left()) fail(count, 1);
        const std::string_view bytes = content_.substr(0, count);
        content_.remove_prefix(count);
        return bytes;
    }

    [[noreturn]] void fail(std::size_t count, std::size_t size) const {
        throw Error(std::string(name_) + ": expected " + std::to_string(count) + " values of " + std::to_string(size) +
                    " bytes, " + std::to_string(left()) + " bytes are left");
    }

    std::string_view content_;
    const char* name_;
};

}  // namespace discrimen
