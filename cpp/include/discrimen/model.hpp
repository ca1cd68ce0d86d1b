// C++17 interface of the discrimen engine.
//
//   const discrimen::Model model = discrimen::Model::load("neda.discrimen");
//   discrimen::Workspace workspace(model);                       // one for each thread
//   std::vector<float> scores(n_pulses * model.n_classes());
//   model.classify(discrimen::contiguous(samples, n_pulses, 75), workspace, scores.data());
//
// A Model never changes after loading and may be shared by threads; copies share the same weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "discrimen/discrimen.h"

namespace discrimen {

// What went wrong with a file or an option, with figures.
class DISCRIMEN_API Error : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

using Pulses = discrimen_pulses;
using Results = discrimen_results;
using Status = discrimen_status;

// Pulses of samples of type T, one behind the other.
template <class T>
Pulses contiguous(const T* samples, std::size_t n_pulses, std::size_t n_samples);

// Pulses of several channels: (pulse, channel, sample), one behind the other.
template <class T>
Pulses contiguous(const T* samples, std::size_t n_pulses, std::size_t n_channels, std::size_t n_samples);

class Buffer;
class Workspace;
struct LoadedModel;

struct LoadOptions {
    std::string instruction_set;  // "baseline", "avx2", "avx512"; empty: the best that this machine has
    std::string device = "cpu";   // "cpu", "cuda", or "cuda:1" for the second GPU
    bool check_golden = true;     // compute the golden vectors and compare; false: this program did so, of these bytes
};

// A threshold at one height.
struct Knot {
    double height_adc, threshold;
};

// On the score of one class: one number, or a curve that follows the height of the pulse.
struct DISCRIMEN_API Threshold {
    std::string name;
    double value;  // NaN of a curve
    std::size_t class_number;
    std::vector<Knot> knots = {};  // heights ascend; empty: it is one number

    // What holds for a pulse of that height, as discrimen_results has it. Between two knots of a curve the logit of the
    // threshold is linear in the logarithm of the height; outside it is that of the first or the last. NaN for NaN.
    double at(double height_adc) const noexcept;
    // score >= at(height_adc); of many pulses see Model::decide. One number asks for no height.
    bool passes(float score, double height_adc) const noexcept;
};

// What an output gives for each pulse.
struct Output {
    std::string name;
    discrimen_kind kind;
    std::string unit;  // "1" for classes, counts, codes; "prepared": a waveform in the scale of the prepared input
    std::vector<std::size_t> shape;
    bool with_error;                 // behind the values come as many standard deviations
    std::size_t n_values;            // floats of a pulse, standard deviations among them
    std::vector<std::string> names;  // of classes, or of the components of a quantity where they have any
    std::vector<Threshold> thresholds;
};

class DISCRIMEN_API Model {
   public:
    // Both throw Error if the content is no frozen network, is damaged, or does not reproduce its golden vectors.
    static Model load(const std::string& path, const LoadOptions& options = {});
    static Model from_memory(const void* content, std::size_t size, const LoadOptions& options = {});

    std::size_t n_channels() const noexcept { return channel_names().size(); }
    const std::vector<std::string>& channel_names() const noexcept;
    bool takes_absent() const noexcept;            // channels may be absent
    std::size_t shortest_record() const noexcept;  // samples that a channel must have at least
    double sample_period_ns() const noexcept;
    bool knows_domain() const noexcept;  // results may have `outside`
    const std::vector<Output>& outputs() const noexcept;
    std::size_t output_number(std::string_view name) const noexcept;  // outputs().size() if there is none
    const std::string& description() const noexcept;                  // JSON
    const char* instruction_set() const noexcept;                     // on a GPU its number and name
    std::size_t workspace_bytes() const noexcept;

    // Of the first output that tells classes apart; none if there is no such output.
    std::size_t n_classes() const noexcept;
    const std::string& class_name(std::size_t number) const;         // throws std::out_of_range
    std::size_t class_number(std::string_view name) const noexcept;  // n_classes() if there is none
    std::size_t n_thresholds() const noexcept;
    const std::string& threshold_name(std::size_t number) const;        // throws std::out_of_range
    double threshold(std::string_view name) const noexcept;             // NaN if there is none
    std::size_t threshold_class(std::string_view name) const noexcept;  // n_classes() if there is none

    // Everything that the network says of pulses. Allocates nothing; NaN for a pulse that cannot be prepared (see
    // discrimen_run).
    Status run(const Pulses& pulses, Workspace& workspace, const Results& results) const noexcept DISCRIMEN_NONBLOCKING;

    // n_classes() scores a pulse, of the first output that tells classes apart.
    Status classify(const Pulses& pulses, Workspace& workspace, float* scores) const noexcept DISCRIMEN_NONBLOCKING;

    // Whether pulses pass a threshold of an output; see discrimen_decide.
    Status decide(std::size_t output, std::size_t number, const float* values, const float* height_adc,
                  std::size_t n_pulses, std::uint8_t* passes) const noexcept DISCRIMEN_NONBLOCKING;

    // Multiply-adds a second that one core can do with the instruction set of this model, in registers: a limit.
    double peak_multiply_adds_hz() const;

   private:
    friend class Buffer;
    friend class Workspace;
    explicit Model(std::shared_ptr<const LoadedModel> loaded) noexcept;
    std::shared_ptr<const LoadedModel> loaded_;
};

// The memory that run and classify need, for one thread at a time; keeps its model alive.
class DISCRIMEN_API Workspace {
   public:
    explicit Workspace(const Model& model);
    ~Workspace();
    Workspace(Workspace&& other) noexcept;
    Workspace& operator=(Workspace&& other) noexcept;
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;

   private:
    friend class Model;
    std::shared_ptr<const LoadedModel> loaded_;
    void* memory_;
};

namespace detail {
template <class T>
struct SampleType;
template <>
struct SampleType<std::int16_t> {
    static constexpr discrimen_sample_type value = DISCRIMEN_INT16;
};
template <>
struct SampleType<std::uint16_t> {
    static constexpr discrimen_sample_type value = DISCRIMEN_UINT16;
};
template <>
struct SampleType<std::int32_t> {
    static constexpr discrimen_sample_type value = DISCRIMEN_INT32;
};
template <>
struct SampleType<float> {
    static constexpr discrimen_sample_type value = DISCRIMEN_FLOAT32;
};
}  // namespace detail

template <class T>
Pulses contiguous(const T* samples, std::size_t n_pulses, std::size_t n_channels, std::size_t n_samples) {
    Pulses pulses{};
    pulses.size = sizeof pulses;
    pulses.samples = samples;
    pulses.n_pulses = n_pulses;
    pulses.n_samples = n_samples;
    pulses.pulse_stride = static_cast<std::ptrdiff_t>(n_channels * n_samples * sizeof(T));
    pulses.sample_stride = static_cast<std::ptrdiff_t>(sizeof(T));
    pulses.type = detail::SampleType<T>::value;
    pulses.n_channels = n_channels;
    pulses.channel_stride = static_cast<std::ptrdiff_t>(n_samples * sizeof(T));
    return pulses;
}

template <class T>
Pulses contiguous(const T* samples, std::size_t n_pulses, std::size_t n_samples) {
    return contiguous(samples, n_pulses, 1, n_samples);
}

}  // namespace discrimen
