// Runs models over files of raw pulses: DIR/NAME.TYPE holds int64 pulses, int64 samples and the samples; the scores go to
// DIR/NAME.TYPE.scores as float32, each row ended by 1 or 0 for what `classify` returned.
#pragma once

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

template <typename Sample, typename Classify>
void score_file(const std::string& path, std::size_t n_classes, Classify classify) {
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        return;
    }
    std::int64_t shape[2] = {};
    in.read(reinterpret_cast<char*>(shape), sizeof shape);
    const std::size_t n_pulses = static_cast<std::size_t>(shape[0]);
    const std::size_t n_samples = static_cast<std::size_t>(shape[1]);
    std::ofstream out(path + ".scores", std::ios::binary);
    for (std::size_t pulse = 0; pulse < n_pulses; ++pulse) {
        // Each record in memory of its own, so that a sanitizer sees a step beyond it.
        std::vector<Sample> samples(n_samples);
        std::vector<float> row(n_classes + 1, -1.0F);
        in.read(reinterpret_cast<char*>(samples.data()), static_cast<std::streamsize>(n_samples * sizeof(Sample)));
        std::vector<float> scores(n_classes, -1.0F);
        row[n_classes] = classify(samples.data(), n_samples, scores.data()) ? 1.0F : 0.0F;
        for (std::size_t i = 0; i < n_classes; ++i) {
            row[i] = scores[i];
        }
        out.write(reinterpret_cast<const char*>(row.data()), static_cast<std::streamsize>(row.size() * sizeof(float)));
    }
}

#define SCORE_AS(model, Sample, suffix)                                                               \
    score_file<Sample>(folder + "/" #model "." suffix, model::n_classes,                              \
                       [](const Sample* samples, std::size_t n_samples, float* scores) {              \
                           return model::classify(samples, n_samples, scores);                        \
                       })
#define SCORE_MASKED(model, Sample, suffix, mask)                                                     \
    score_file<Sample>(folder + "/" #model "." suffix, model::n_classes,                              \
                       [](const Sample* samples, std::size_t n_samples, float* scores) {              \
                           return model::classify(samples, n_samples, scores, mask);                  \
                       })
#define TEST_ITSELF(model) std::printf("%s %d\n", #model, model::self_test() ? 1 : 0)
