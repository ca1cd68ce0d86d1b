#include "frozen_file.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "discrimen/model.hpp"
#include "sha256.hpp"

namespace discrimen {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "frozen files are little-endian, and read as they lie");

constexpr char magic[] = "DISCRIM";  // with its zero byte
constexpr std::uint32_t version = 1;
constexpr std::size_t head_bytes = 16, entry_bytes = 24, digest_bytes = 32, max_sections = 16;

std::string number(std::size_t value) { return std::to_string(value); }

// Takes values one after the other and never reads beyond the end.
class Cursor {
   public:
    Cursor(std::string_view content, const char* name) : content_(content), name_(name) {}

    std::size_t left() const { return content_.size(); }

    template <class T>
    T take() {
        T value;
        std::memcpy(&value, take_bytes(sizeof(T)).data(), sizeof(T));
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
        if (left() > 0) throw Error(std::string(name_) + ": " + number(left()) + " bytes too many at the end");
    }

   private:
    std::string_view take_bytes(std::size_t count) {
        if (count > left()) fail(count, 1);
        const std::string_view bytes = content_.substr(0, count);
        content_.remove_prefix(count);
        return bytes;
    }

    [[noreturn]] void fail(std::size_t count, std::size_t size) const {
        throw Error(std::string(name_) + ": expected " + number(count) + " values of " + number(size) + " bytes, " +
                    number(left()) + " bytes are left");
    }

    std::string_view content_;
    const char* name_;
};

void check_head(std::string_view content) {
    if (content.size() < head_bytes + digest_bytes || std::memcmp(content.data(), magic, sizeof magic) != 0)
        throw Error("this is no frozen model; make one with 'discrimen freeze'");
    std::uint32_t found;
    std::memcpy(&found, content.data() + sizeof magic, sizeof found);
    if (found != version)
        throw Error("expected layout version " + number(version) + ", got " + number(found) +
                    (found > version ? "; update discrimen" : ""));
    const std::size_t body = content.size() - digest_bytes;
    const auto digest = sha256(reinterpret_cast<const std::uint8_t*>(content.data()), body);
    if (std::memcmp(digest.data(), content.data() + body, digest_bytes) != 0)
        throw Error("checksum differs: the file is truncated or was altered; freeze the model again");
}

Cursor section(std::string_view content, const char* name) {
    const std::string_view body = content.substr(0, content.size() - digest_bytes);
    std::uint32_t n_sections;
    std::memcpy(&n_sections, body.data() + sizeof magic + 4, sizeof n_sections);
    if (n_sections > max_sections || head_bytes + n_sections * entry_bytes > body.size())
        throw Error("expected at most " + number(max_sections) + " sections, got " + number(n_sections));
    char wanted[8] = {};
    std::memcpy(wanted, name, std::min(std::strlen(name), sizeof wanted));
    for (std::size_t i = 0; i < n_sections; ++i) {
        const char* entry = body.data() + head_bytes + i * entry_bytes;
        std::uint64_t place[2];
        std::memcpy(place, entry + 8, sizeof place);
        if (place[0] > body.size() || place[1] > body.size() - place[0])
            throw Error("section " + number(i) + " reaches beyond the file");
        if (std::memcmp(entry, wanted, sizeof wanted) == 0) return Cursor(body.substr(place[0], place[1]), name);
    }
    throw Error(std::string("the file lacks its section ") + name);
}

FrozenPreparation read_preparation(Cursor cursor) {
    FrozenPreparation p;
    p.sample_period_ns = cursor.take<double>();
    p.fraction = cursor.take<double>();
    for (std::int32_t* value : {&p.polarity, &p.baseline_start, &p.baseline_stop, &p.window_start, &p.window_length,
                                &p.aligned, &p.position, &p.interpolate, &p.scale, &p.n_classes})
        *value = cursor.take<std::int32_t>();
    cursor.finish();
    return p;
}

FrozenArray read_array(Cursor& cursor, std::size_t n_weights) {
    const auto n_axes = cursor.take<std::uint32_t>();
    if (n_axes < 1 || n_axes > 3) throw Error("weights have 1 to 3 axes, got " + number(n_axes));
    FrozenArray array;
    std::size_t count = 1;
    for (const std::uint32_t length : cursor.take_many<std::uint32_t>(n_axes)) {
        if (length < 1 || length > n_weights / count) throw Error("weights of a layer do not lie within the file");
        count *= length;
        array.shape.push_back(length);
    }
    const auto start = cursor.take<std::uint64_t>();
    if (start > n_weights - count) throw Error("weights of a layer do not lie within the file");
    array.start = std::size_t(start);
    return array;
}

std::size_t count_of(const FrozenArray& array) {
    std::size_t count = 1;
    for (const std::size_t length : array.shape) count *= length;
    return count;
}

std::vector<FrozenLayer> read_layers(Cursor cursor, std::size_t n_weights) {
    const auto n_layers = cursor.take<std::uint32_t>();
    std::vector<FrozenLayer> layers;
    std::size_t n_used = 0;
    for (std::uint32_t i = 0; i < n_layers; ++i) {
        FrozenLayer layer;
        layer.code = LayerCode(cursor.take<std::uint32_t>());
        const auto n_options = cursor.take<std::uint32_t>(), n_arrays = cursor.take<std::uint32_t>();
        layer.options = cursor.take_many<std::int32_t>(n_options);
        for (std::uint32_t k = 0; k < n_arrays; ++k) {
            layer.arrays.push_back(read_array(cursor, n_weights));
            n_used += count_of(layer.arrays.back());
            // Each array is laid out anew: many that share one place would take more memory than the file warrants.
            if (n_used > n_weights) throw Error("the layers use more weights than the " + number(n_weights) + " there");
        }
        layers.push_back(std::move(layer));
    }
    cursor.finish();
    return layers;
}

FrozenGolden read_golden(Cursor cursor, std::size_t n_classes) {
    FrozenGolden golden;
    golden.n_pulses = cursor.take<std::uint32_t>();
    golden.n_samples = cursor.take<std::uint32_t>();
    const auto n_scores = cursor.take<std::uint32_t>();
    cursor.take<std::uint32_t>();
    golden.tolerance = cursor.take<double>();
    if (golden.n_pulses < 1 || n_scores != n_classes)
        throw Error("golden vectors of " + number(golden.n_pulses) + " pulses and " + number(n_scores) +
                    " scores each, expected " + number(n_classes));
    if (!(golden.tolerance > 0 && golden.tolerance < 0.01)) throw Error("golden vectors with an odd tolerance");
    golden.samples = cursor.take_many<std::int32_t>(golden.n_pulses * golden.n_samples);
    golden.scores = cursor.take_many<double>(golden.n_pulses * n_classes);
    cursor.finish();
    return golden;
}

// Whether a name is there twice, or is empty: it could not be asked for.
bool has_twins(std::vector<std::string> names) {
    std::sort(names.begin(), names.end());
    return std::adjacent_find(names.begin(), names.end()) != names.end() || (!names.empty() && names.front().empty());
}

}  // namespace

FrozenFile read_frozen(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view content(reinterpret_cast<const char*>(bytes), size);
    check_head(content);
    FrozenFile file;
    file.size = size;
    Cursor meta = section(content, "meta");
    const std::vector<char> text = meta.take_many<char>(meta.left());
    file.description.assign(text.begin(), text.end());
    file.preparation = read_preparation(section(content, "prepare"));
    Cursor weights = section(content, "weights");
    file.weights = weights.take_many<float>(weights.left() / sizeof(float));
    weights.finish();
    if (!std::all_of(file.weights.begin(), file.weights.end(), [](float value) { return std::isfinite(value); }))
        throw Error("weights are not finite");
    file.layers = read_layers(section(content, "layers"), file.weights.size());
    for (Cursor names = section(content, "classes"); names.left() > 0;) file.classes.push_back(names.take_name());
    if (file.classes.empty() || std::size_t(file.preparation.n_classes) != file.classes.size())
        throw Error("the preparation tells of " + std::to_string(file.preparation.n_classes) + " classes, " +
                    number(file.classes.size()) + " have names");
    if (has_twins(file.classes)) throw Error("two classes share a name, or one has none");
    std::vector<std::string> names;
    for (Cursor cuts = section(content, "cuts"); cuts.left() > 0;) {
        const auto value = cuts.take<double>();
        names.push_back(cuts.take_name());
        file.thresholds.push_back({value, names.back()});
        if (!(value >= 0 && value <= 1)) throw Error("a threshold lies outside 0 to 1, where scores are");
    }
    if (has_twins(names)) throw Error("two thresholds share a name, or one has none");
    file.golden = read_golden(section(content, "golden"), file.classes.size());
    return file;
}

}  // namespace discrimen
