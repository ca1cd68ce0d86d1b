// The top and the veto behind one another. The trigger comes as the bit above the sample; valid is trigger_out.
module veto_top (
    input  wire                 clk,
    input  wire                 rst,
    input  wire [14:0]          sample,
    input  wire                 sample_valid,
    output wire                 valid,
    output wire                 is_neutron,
    output wire [`LOGIT_BITS-1:0] logit_gamma,
    output wire [`LOGIT_BITS-1:0] logit_neutron
);
  wire decided;
  discrimen_top top_i (
      .clk(clk),
      .rst(rst),
      .sample(sample[13:0]),
      .sample_valid(sample_valid),
      .valid(decided),
      .is_neutron(is_neutron),
      .logit_gamma(logit_gamma),
      .logit_neutron(logit_neutron)
  );
  discrimen_veto veto_i (
      .clk(clk),
      .rst(rst),
      .trigger_in(sample[14]),
      .valid(decided),
      .is_neutron(is_neutron),
      .trigger_out(valid)
  );
endmodule
