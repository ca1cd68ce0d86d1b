// Streaming front end for an ADC that is faster than the fabric: SAMPLES samples with each clock.
//
// Gives, bit for bit, the windows that front_end.py describes, wherever in its clock a pulse begins. A "word" is what
// comes with one clock. Below, "after edge c" is the clock cycle that follows the rising edge at which word c was taken
// (with sample_valid high). Everything that holds one entry for each sample is a vector whose place i is i samples
// older than the newest of it: in each word place 0 is the latest sample, place SAMPLES - 1 the earliest.
//
// Whatever happens at a sample (it arms, it is the trigger) is a mark in such a vector, which moves on by SAMPLES places
// a clock. So "n samples later" is a fixed place, and no counter has to know about the samples within a clock.
//
// Reset: hold `rst` for RESET_CLOCKS or more clocks with sample_valid high. The earliest sample of its first clock fills
// every delay line and the accumulator, as if the stream had always been equal to it.
`timescale 1ns / 1ps

module front_end_wide #(
    parameter SAMPLES = 2,         // with each clock: 1, 2 or 4
    parameter ADC_BITS = 14,       // width of a sample, unsigned
    parameter NEGATIVE = 1,        // 1: pulses fall; s = 2**ADC_BITS - 1 - x
    parameter MEAN_LOG2 = 3,       // the baseline is the mean of 2**MEAN_LOG2 samples
    parameter GAP = 16,            // samples between the mean's last and the one that arms
    parameter THRESHOLD = 40,      // counts above the baseline
    parameter FRACTION_16 = 5,     // of the peak, in sixteenths
    parameter PEAK_SAMPLES = 8,    // the peak is sought in so many samples
    parameter BEFORE = 15,         // samples of the window before the trigger
    parameter LENGTH = 75          // samples of the window
) (
    input  wire                            clk,
    input  wire                            rst,           // synchronous, active high
    input  wire [SAMPLES*ADC_BITS-1:0]     sample,        // the earliest in the lowest bits
    input  wire                            sample_valid,  // clock enable: tie high for a word a clock
    output wire [LENGTH*(ADC_BITS+1)-1:0]  window,        // signed counts; the earliest sample in the lowest bits
    output wire                            window_valid   // high for one clock, DELAY + 2 edges after the last sample's
);
  localparam N = SAMPLES;
  localparam LOG_N = $clog2(N);
  localparam VALUE_BITS = ADC_BITS + 1;
  localparam MEAN = 1 << MEAN_LOG2;
  localparam SUM_BITS = ADC_BITS + MEAN_LOG2;
  localparam SETTLING = GAP + MEAN + BEFORE;
  localparam REST = LENGTH - BEFORE - 1;  // samples from the trigger to the last one

  // ---- When what is known of a word, in clocks after the word itself -----------------------------------------------
  localparam MEAN_AT = 3;
  localparam WAIT = (GAP / N >= MEAN_AT + 1) ? 0 : MEAN_AT + 1 - GAP / N;  // for the level, if the gap is short
  localparam ARMED_AT = WAIT + 2;
  localparam PEAK_WORDS = (N + PEAK_SAMPLES - 2) / N + 1;  // that the samples of the peak may touch
  localparam REACHED_AT = ARMED_AT + PEAK_WORDS + LOG_N + 4;
  localparam FOUND_AT = REACHED_AT + 1;
  // The window's samples are aligned and corrected twice: DELAY clocks after they came, and again REDO clocks after they
  // came, when trigger and baseline of their pulse are known. DELAY is the least with which the second time comes early
  // enough for the older samples of the window, and the first one late enough for the others.
  localparam REDO = FOUND_AT + 1 + (BEFORE + N - 1) / N;
  localparam SHARED = (REDO + FOUND_AT + 1 - REST / N) / 2;
  localparam UNSEEN = FOUND_AT - REST / N;
  localparam SHORT = REDO + 1 - LENGTH / N;
  localparam LONGER = (SHARED > UNSEEN) ? SHARED : UNSEEN;
  localparam LONGEST = (LONGER > SHORT) ? LONGER : SHORT;
  localparam DELAY = (REDO + FOUND_AT > REST / N && LONGEST > 0) ? LONGEST : 0;

  genvar i;

  // ---- Polarity, and the sample that stands for the stream before its beginning ------------------------------------
  localparam LINE = ((REDO + 2) * N > MEAN + N) ? (REDO + 2) * N : MEAN + N;
  reg [LINE*ADC_BITS-1:0] line = 0;  // after edge c, place 0 is the latest sample of word c
  reg in_reset = 0;
  wire [N*ADC_BITS-1:0] upright = (NEGATIVE != 0) ? ~sample : sample;
  wire [N*ADC_BITS-1:0] word;
  generate
    for (i = 0; i < N; i = i + 1) begin : turn
      assign word[i*ADC_BITS+:ADC_BITS] = upright[(rst ? 0 : N-1-i)*ADC_BITS+:ADC_BITS];
    end
  endgenerate
  always @(posedge clk)
    if (sample_valid) begin
      in_reset <= rst;
      line <= {line[(LINE-N)*ADC_BITS-1:0], (rst && in_reset) ? line[N*ADC_BITS-1:0] : word};
    end

  // ---- Baseline: the mean of MEAN samples, GAP samples ago ---------------------------------------------------------
  localparam STEP_BITS = ADC_BITS + 1 + LOG_N;
  localparam MEANS = GAP + WAIT * N;
  reg signed [STEP_BITS-1:0] step[0:N-1], steps[0:N-1];
  reg [SUM_BITS-1:0] sum[0:N-1];
  wire [N*ADC_BITS-1:0] means_now;
  reg [MEANS*ADC_BITS-1:0] means_ago = 0;
  // After edge c, place 0 is the mean that ends with the latest sample of word c - MEAN_AT.
  wire [(MEANS+N)*ADC_BITS-1:0] means = {means_ago, means_now};
  always @(posedge clk)
    if (sample_valid) begin : add
      integer k;
      reg signed [STEP_BITS-1:0] total;
      total = 0;
      for (k = N - 1; k >= 0; k = k - 1) begin
        step[k] <= $signed({1'b0, line[k*ADC_BITS+:ADC_BITS]}) - $signed({1'b0, line[(k+MEAN)*ADC_BITS+:ADC_BITS]});
        total = total + step[k];
        steps[k] <= total;
        if (rst) sum[k] <= line[ADC_BITS-1:0] << MEAN_LOG2;
        else sum[k] <= $signed({1'b0, sum[0]}) + steps[k];
      end
      means_ago <= means[MEANS*ADC_BITS-1:0];
    end
  generate
    for (i = 0; i < N; i = i + 1) begin : cut_off
      assign means_now[i*ADC_BITS+:ADC_BITS] = sum[i][SUM_BITS-1:MEAN_LOG2];
    end
  endgenerate

  // ---- Arm: the first crossing of the threshold while free ---------------------------------------------------------
  localparam [ADC_BITS:0] THRESHOLD_ADC = THRESHOLD;
  localparam SETTLED = SETTLING / N + ARMED_AT;
  localparam COUNT_BITS = $clog2(SETTLED + 1);
  localparam [N-1:0] SETTLED_PLACES = (1 << (N - SETTLING % N)) - 1;
  reg [ADC_BITS:0] level[0:N-1];
  reg [N:0] above = 0;      // place N: the latest sample of the word before
  reg [N-1:0] armed = 0;    // after edge c, mark of word c - ARMED_AT
  reg [N-1:0] may_arm, arms;
  reg free = 0, settles = 1;
  reg [COUNT_BITS-1:0] count = SETTLED;
  wire settled = settles && count == 0;
  wire [N-1:0] ends;  // marks of the last sample of a window
  wire [N-1:0] crossing = above[N-1:0] & ~above[N:1];
  always @* begin : choose
    integer k, e;
    for (k = 0; k < N; k = k + 1) begin
      may_arm[k] = free || (settled && SETTLED_PLACES[k]);
      for (e = k + 1; e < N; e = e + 1) may_arm[k] = may_arm[k] || ends[e];
    end
    for (k = 0; k < N; k = k + 1) begin
      arms[k] = crossing[k] && may_arm[k];
      for (e = k + 1; e < N; e = e + 1) if (crossing[e] && may_arm[e]) arms[k] = 1'b0;
    end
  end
  always @(posedge clk)
    if (sample_valid) begin : arm
      integer k;
      above[N] <= above[0];
      for (k = 0; k < N; k = k + 1) begin
        level[k] <= {1'b0, means[(k+GAP+(WAIT-MEAN_AT-1)*N)*ADC_BITS+:ADC_BITS]} + THRESHOLD_ADC;
        above[k] <= {1'b0, line[(k+WAIT*N)*ADC_BITS+:ADC_BITS]} >= level[k];
      end
      count <= count - 1'b1;
      if (settled) settles <= 1'b0;
      armed <= arms;
      if (|arms) free <= 1'b0;
      else if (settled || |ends) free <= 1'b1;
      if (rst) begin
        count <= SETTLED;
        settles <= 1'b1;
        armed <= 0;
        free <= 1'b0;
      end
    end

  localparam ARMS = (REACHED_AT - ARMED_AT) * N + PEAK_SAMPLES;
  reg [ARMS-1:0] armed_ago = 0;
  wire [ARMS+N-1:0] armed_line = {armed_ago, armed};
  reg [ADC_BITS-1:0] baseline = 0;
  always @(posedge clk)
    if (sample_valid) begin : keep
      integer k;
      armed_ago <= armed_line[ARMS-1:0];
      for (k = 0; k < N; k = k + 1) if (armed[k]) baseline <= means[(k+GAP+(WAIT-1)*N)*ADC_BITS+:ADC_BITS];
    end

  // ---- Peak: the highest of PEAK_SAMPLES samples -------------------------------------------------------------------
  localparam PRODUCT_BITS = ADC_BITS + 5;
  localparam [4:0] FRACTION = FRACTION_16;
  reg [ADC_BITS-1:0] highest[0:2*N-2];  // a tree: the word's samples from place N - 1 on, their maxima below
  reg [ADC_BITS-1:0] peak = 0, height = 0;
  reg [PRODUCT_BITS-1:0] product = 0;
  always @(posedge clk)
    if (sample_valid) begin : maximum
      integer k;
      for (k = 0; k < N; k = k + 1)
        highest[N-1+k] <= (|armed_line[k+:PEAK_SAMPLES]) ? line[(k+ARMED_AT*N)*ADC_BITS+:ADC_BITS] : 0;
      for (k = 0; k < N - 1; k = k + 1)
        highest[k] <= (highest[2*k+1] > highest[2*k+2]) ? highest[2*k+1] : highest[2*k+2];
      if (|armed) peak <= 0;
      else if (highest[0] > peak) peak <= highest[0];
      height  <= peak - baseline;
      product <= {5'b0, height} * FRACTION;
    end

  // ---- Trigger: the first of them that reaches the fraction of the peak --------------------------------------------
  localparam SEARCHED = (REACHED_AT - 1 - ARMED_AT) * N;
  reg signed [VALUE_BITS-1:0] above_baseline[0:N-1];
  reg [N-1:0] reached = 0, found = 0;  // after edge c, mark of word c - FOUND_AT
  reg searching = 0;
  always @(posedge clk)
    if (sample_valid) begin : search
      integer k, e;
      for (k = 0; k < N; k = k + 1) begin
        above_baseline[k] <= {1'b0, line[(k+(REACHED_AT-2)*N)*ADC_BITS+:ADC_BITS]} - {1'b0, baseline};
        reached[k] <= (|armed_line[SEARCHED+k+:PEAK_SAMPLES]) && !above_baseline[k][ADC_BITS]
            && {1'b0, above_baseline[k][ADC_BITS-1:0], 4'b0} >= product;
        found[k] <= reached[k] && searching && !rst;
        for (e = k + 1; e < N; e = e + 1) if (reached[e]) found[k] <= 1'b0;
      end
      // From the word that armed on, and not before: of the pulse before, samples may still be under way.
      if (|armed_line[SEARCHED+:N]) searching <= 1'b1;
      else if (|reached) searching <= 1'b0;
    end

  reg [REST-1:0] found_ago = 0;
  wire [REST+N-1:0] found_line = {found_ago, found};
  assign ends = found_line[REST-(FOUND_AT+1-ARMED_AT)*N+:N];
  reg complete = 0, fresh = 0;
  always @(posedge clk) fresh <= sample_valid;
  always @(posedge clk)
    if (sample_valid) begin
      found_ago <= found_line[REST-1:0];
      complete <= !rst && |found_line[REST-(FOUND_AT-DELAY)*N+:N];
    end
  assign window_valid = complete && fresh;

  // ---- Window: a shift register, the newest sample in the highest place --------------------------------------------
  // The last sample of the window is at place `last` of its word. Words are cut anew there, from two words that follow
  // each other, so that a whole window lies in the register always in the same way.
  reg [LOG_N:0] last = 0;
  reg [ADC_BITS-1:0] kept_baseline = 0;  // of this window, also when the next one arms
  always @(posedge clk)
    if (sample_valid) begin : take
      integer k;
      for (k = 0; k < N; k = k + 1)
        if (found[k]) begin
          last <= (k + REST * (N - 1)) % N;
          kept_baseline <= baseline;
        end
    end

  reg [LENGTH*VALUE_BITS-1:0] places = 0;
  reg [ADC_BITS-1:0] now[0:N-1], then[0:N-1];
  always @* begin : align
    integer k, e;
    for (k = 0; k < N; k = k + 1) begin
      now[k]  = line[(k+DELAY*N)*ADC_BITS+:ADC_BITS];
      then[k] = line[(k+REDO*N)*ADC_BITS+:ADC_BITS];
      for (e = 1; e < N; e = e + 1)
        if (last == e) begin
          now[k]  = line[(k+e+DELAY*N)*ADC_BITS+:ADC_BITS];
          then[k] = line[(k+e+REDO*N)*ADC_BITS+:ADC_BITS];
        end
    end
  end
  always @(posedge clk)
    if (sample_valid) begin : shift
      integer k;
      places <= places >> (N * VALUE_BITS);
      for (k = 0; k < N; k = k + 1) begin
        places[(LENGTH-1-k)*VALUE_BITS+:VALUE_BITS] <= {1'b0, now[k]} - {1'b0, kept_baseline};
        places[(LENGTH-1-k-(REDO-DELAY)*N)*VALUE_BITS+:VALUE_BITS] <= {1'b0, then[k]} - {1'b0, kept_baseline};
      end
    end
  assign window = places;
endmodule
