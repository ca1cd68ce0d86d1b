#include "frozen_file.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>

#include "cursor.hpp"
#include "frozen_domain.hpp"
#include "frozen_outputs.hpp"
#include "sha256.hpp"

namespace discrimen {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "discrimen needs a little-endian machine: frozen files are little-endian, and read as they lie");

constexpr char magic[] = "DISCRIM";  // with its zero byte
constexpr std::uint32_t version = 3;
constexpr std::size_t head_bytes = 16, entry_bytes = 24, digest_bytes = 32, max_sections = 16;

void check_head(std::string_view content) {
    if (content.size() < head_bytes + digest_bytes || std::memcmp(content.data(), magic, sizeof magic) != 0)
        throw Error("this is no frozen model; make one with 'discrimen freeze'");
    std::uint32_t found;
    std::memcpy(&found, content.data() + sizeof magic, sizeof found);
    if (found != version)
        throw Error("expected layout version " + number(version) + ", got " + number(found) +
                    (found > version ? "; update discrimen" : "; freeze the model again"));
    const std::size_t body = content.size() - digest_bytes;
    const auto digest = sha256(reinterpret_cast<const std::uint8_t*>(content.data()), body);
    if (std::memcmp(digest.data(), content.data() + body, digest_bytes) != 0)
        throw Error("checksum differs: the file is truncated or was altered; freeze the model again");
}

// False if there is none of that name.
bool find_section(std::string_view content, const char* name, std::string_view& found) {
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
        if (std::memcmp(entry, wanted, sizeof wanted) != 0) continue;
        found = body.substr(place[0], place[1]);
        return true;
    }
    return false;
}

Cursor section(std::string_view content, const char* name) {
    std::string_view found;
    if (!find_section(content, name, found)) throw Error(std::string("the file lacks its section ") + name);
    return Cursor(found, name);
}

// Any number of a sample, and the number of samples of any window.
constexpr std::int32_t most_samples = (1 << 24) - 1;

bool possible(const FrozenChannel& c, const FrozenInput& input) {
    return (c.polarity == 1 || c.polarity == -1) && c.baseline_start >= 0 && c.baseline_start <= c.baseline_stop &&
           c.baseline_stop <= most_samples && c.window_start <= most_samples &&
           (input.aligned ? c.window_start >= -most_samples : c.window_start >= 0);
}

bool is_switch(std::int32_t value) { return value == 0 || value == 1; }

void check_input(const FrozenInput& input) {
    if (!(input.window_length >= 1 && input.window_length <= most_samples && input.scale >= 0 && input.scale <= 2 &&
          input.sample_period_ns > 0 && std::isfinite(input.sample_period_ns) && is_switch(input.aligned) &&
          is_switch(input.interpolate) && is_switch(input.masked)))
        throw Error("the input is not a possible one");
    if (input.aligned && !(input.fraction > 0 && input.fraction < 1 && input.position >= -most_samples &&
                           input.position <= most_samples))
        throw Error("the alignment of the input is not a possible one");
    if (input.reference < -1 || input.reference >= std::int32_t(input.channels.size()))
        throw Error("the reference channel is " + std::to_string(input.reference) + ", there are " +
                    number(input.channels.size()) + " channels");
    for (std::size_t i = 0; i < input.channels.size(); ++i)
        if (!possible(input.channels[i], input))
            throw Error("channel " + number(i) + " of the input is not a possible one");
    if (has_twins(input.names)) throw Error("two channels share a name, or one has none");
}

FrozenInput read_input(Cursor cursor) {
    FrozenInput input;
    const auto n_channels = cursor.take<std::uint32_t>();
    for (std::int32_t* value : {&input.window_length, &input.scale, &input.reference, &input.aligned, &input.position,
                                &input.interpolate, &input.masked})
        *value = cursor.take<std::int32_t>();
    input.sample_period_ns = cursor.take<double>();
    input.fraction = cursor.take<double>();
    if (n_channels < 1 || n_channels > cursor.left() / sizeof(FrozenChannel))
        throw Error("input: " + number(n_channels) + " channels do not fit into its " + number(cursor.left()) +
                    " bytes");
    input.channels = cursor.take_many<FrozenChannel>(n_channels);
    for (std::uint32_t i = 0; i < n_channels; ++i) input.names.push_back(cursor.take_name());
    cursor.finish();
    check_input(input);
    return input;
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
        layer.code = cursor.take<std::uint32_t>();
        const auto n_inputs = cursor.take<std::uint32_t>(), n_options = cursor.take<std::uint32_t>(),
                   n_arrays = cursor.take<std::uint32_t>();
        layer.inputs = cursor.take_many<std::uint32_t>(n_inputs);
        for (const std::uint32_t input : layer.inputs)
            if (input > i)
                throw Error("layer " + number(i) + " reads value " + number(input) + ", which comes after it");
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

}  // namespace

std::string number(std::size_t value) { return std::to_string(value); }

FrozenFile read_frozen(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view content(reinterpret_cast<const char*>(bytes), size);
    check_head(content);
    FrozenFile file{};
    file.size = size;
    Cursor meta = section(content, "meta");
    const std::vector<char> text = meta.take_many<char>(meta.left());
    file.description.assign(text.begin(), text.end());
    file.input = read_input(section(content, "input"));
    Cursor weights = section(content, "weights");
    file.weights = weights.take_many<float>(weights.left() / sizeof(float));
    weights.finish();
    if (!std::all_of(file.weights.begin(), file.weights.end(), [](float value) { return std::isfinite(value); }))
        throw Error("weights are not finite");
    file.layers = read_layers(section(content, "layers"), file.weights.size());
    file.outputs = read_outputs(section(content, "outputs"), file.layers.size());
    file.golden = read_golden(section(content, "golden"), file.input, file.outputs);
    for (const FrozenOutput& output : file.outputs)
        for (const Threshold& threshold : output.promised.thresholds)
            if (!threshold.knots.empty() && file.input.channels.size() != 1)
                throw Error("threshold '" + threshold.name + "' follows the height of the pulse, and the model takes " +
                            number(file.input.channels.size()) + " channels");
    std::string_view domain;
    file.domain.known = find_section(content, "domain", domain);
    if (file.domain.known) file.domain = read_domain(Cursor(domain, "domain"), file.input);
    return file;
}

}  // namespace discrimen
