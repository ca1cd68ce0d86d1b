// Random networks, pulses that their preparation takes, and models of them.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "discrimen/model.hpp"
#include "frozen_writer.hpp"

namespace networks {

class Random {
   public:
    explicit Random(std::uint32_t seed) : engine_(seed) {}

    std::uint32_t bits() { return std::uint32_t(engine_()); }
    int integer(int least, int most) { return least + int(bits() % std::uint32_t(most - least + 1)); }
    double real(double least, double most) { return least + (most - least) * (bits() / 4294967296.0); }
    bool once_in(int times) { return integer(1, times) == 1; }

   private:
    std::mt19937 engine_;
};

// Weights as a training leaves them: about as large as one over the root of the inputs, times `gain`.
frozen::Layer dense(Random& random, int inputs, int outputs, int activation, double gain = 1);
frozen::Layer conv1d(Random& random, int length, int inputs, int outputs, std::vector<std::int32_t> options);
frozen::Layer conv1d_transpose(Random& random, int length, int inputs, int outputs, std::vector<std::int32_t> options);
frozen::Layer lstm(Random& random, int inputs, int units, bool sequences, double gain = 1, bool hard = false);
frozen::Layer gru(Random& random, int inputs, int units, bool sequences, double gain = 1, bool hard = false,
                  bool reset_after = true);
frozen::Layer simple_rnn(Random& random, int inputs, int units, bool sequences, int activation);

// The kinds of layers, for `one_layer`.
extern const std::vector<std::uint32_t> every_code;
const char* name_of(std::uint32_t code);

// A network around one layer of random shape, so that every value that the layer gives is an output.
frozen::Content one_layer(Random& random, std::uint32_t code);

// Small and with that layer, classes and a quantity with its error: a seed for mutations.
frozen::Content small_network(Random& random, std::uint32_t code);

// Layers that read one another in every possible way: sums, products, rows put together, values read often.
frozen::Content random_graph(Random& random);

// Several channels, some absent, and a convolution over them.
frozen::Content several_channels(Random& random);

// An output of everything where there is none, shapes and names of the others, and golden pulses with their values.
void complete(frozen::Content& content, Random& random);

// Samples of a pulse, channel after channel, each of which rises (or falls, with that polarity) out of its baseline:
// whole numbers within int16 and uint16 alike, below 2**14.
std::vector<double> pulse(const frozen::Preparation& preparation, int n_samples, Random& random);
// The same, and far enough from every decision that single precision may take otherwise.
std::vector<double> plain_pulse(const frozen::Preparation& preparation, int n_samples, Random& random,
                                const std::vector<std::uint8_t>& present = {});

// On a set of instructions, or on the device 0 for "emulated" and "cuda".
discrimen::Model load(const frozen::Content& content, const std::string& instruction_set);

// The instruction set that a test program is to use: its argument, or nothing if this machine has it not.
std::string instruction_set_from(int argc, char** argv);

}  // namespace networks
