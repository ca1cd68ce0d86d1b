// What there is by name: layers of the file and operations of the kernels. Lists only: others make something of them.
#pragma once

// Every layer that a file may hold: its number there, never given anew, and its name, which is that of its planner too.
#define DISCRIMEN_LAYERS(LAYER)      \
    LAYER(1, Dense)                  \
    LAYER(2, Conv1D)                 \
    LAYER(3, MaxPooling1D)           \
    LAYER(4, AveragePooling1D)       \
    LAYER(5, GlobalMaxPooling1D)     \
    LAYER(6, GlobalAveragePooling1D) \
    LAYER(7, Flatten)                \
    LAYER(8, Reshape)                \
    LAYER(9, Lstm)                   \
    LAYER(10, Gru)                   \
    LAYER(11, Activate)              \
    LAYER(12, Conv1DTranspose)       \
    LAYER(13, UpSampling1D)          \
    LAYER(14, Add)                   \
    LAYER(15, Multiply)              \
    LAYER(16, Concatenate)           \
    LAYER(17, Permute)               \
    LAYER(18, Prelu)                 \
    LAYER(19, LayerNorm)             \
    LAYER(20, ZeroPadding1D)         \
    LAYER(21, Cropping1D)            \
    LAYER(22, Reverse)               \
    LAYER(23, SimpleRnn)             \
    LAYER(24, Attention)             \
    LAYER(25, Sample)                \
    LAYER(26, Neighbours)

// Every operation; the kernel of each is a function of the same name in kernels/layers.
#define DISCRIMEN_OPERATIONS(OPERATION)                 \
    OPERATION(affine)     /* Dense, Conv1D */           \
    OPERATION(grouped)    /* Conv1D with groups */      \
    OPERATION(transposed) /* Conv1DTranspose */         \
    OPERATION(max_pool)   /* global ones too */         \
    OPERATION(average_pool)                             \
    OPERATION(lstm)                                     \
    OPERATION(gru)                                      \
    OPERATION(simple_rnn)                               \
    OPERATION(activate)                                 \
    OPERATION(prelu)                                    \
    OPERATION(layer_norm)                               \
    OPERATION(add)                                      \
    OPERATION(multiply)                                 \
    OPERATION(multiply_rows) /* each step by one row */ \
    OPERATION(repeat)        /* UpSampling1D */         \
    OPERATION(place)         /* rows put elsewhere */   \
    OPERATION(zeros)                                    \
    OPERATION(permute)                                  \
    OPERATION(attention)                                \
    OPERATION(sample)                                   \
    OPERATION(neighbours)
