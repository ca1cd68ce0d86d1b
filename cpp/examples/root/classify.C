// Scores of a CoMPASS run in ROOT, by the engine: reads the branch Samples (TArrayS) of a CoMPASS file and writes a
// friend tree with one entry for each entry of the run, in the same order.
//
//   export PREFIX=...          where discrimen is installed
//   root -l -b -q 'classify.C("neda.discrimen", "DataR_run.root", "scores.root")'
//
// and then, in ROOT: tree->AddFriend("discrimen", "scores.root"); tree->Draw("Energy", "discrimen.neutron > 0.5");
// Entries without a pulse that can be scored (no or too few samples, nothing above the baseline) get NaN.
#include <TArrayS.h>
#include <TFile.h>
#include <TSystem.h>
#include <TTree.h>

#include <cmath>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

// Found when the macro is read, before its functions are compiled.
R__ADD_INCLUDE_PATH($PREFIX/include)
R__ADD_LIBRARY_PATH($PREFIX/lib)
R__LOAD_LIBRARY(libdiscrimen)
#include "discrimen/model.hpp"

int classify(const char* model_path, const char* run_path, const char* scores_path, const char* tree_name = "Data_R") {
    const discrimen::Model model = discrimen::Model::load(model_path);
    discrimen::Workspace workspace(model);
    const std::size_t neutron_number = model.class_number("neutron");
    if (neutron_number == model.n_classes()) {
        std::cerr << "the model has no class named neutron\n";
        return 1;
    }

    std::unique_ptr<TFile> run(TFile::Open(run_path));
    TTree* tree = run && !run->IsZombie() ? run->Get<TTree>(tree_name) : nullptr;
    if (!tree || !tree->GetBranch("Samples")) {
        std::cerr << run_path << ": expected a tree " << tree_name << " with a branch Samples\n";
        return 1;
    }
    TArrayS* samples = nullptr;
    tree->SetBranchStatus("*", false);
    tree->SetBranchStatus("Samples", true);
    tree->SetBranchAddress("Samples", &samples);

    std::unique_ptr<TFile> target(TFile::Open(scores_path, "RECREATE"));
    if (!target || target->IsZombie()) return 1;
    TTree* scores = new TTree("discrimen", "neutron scores");  // belongs to the file
    Float_t neutron = 0;
    scores->Branch("neutron", &neutron);

    std::vector<float> of_pulse(model.n_classes());
    Long64_t n_scored = 0;
    for (Long64_t entry = 0; entry < tree->GetEntries(); ++entry) {
        tree->GetEntry(entry);
        neutron = std::nanf("");
        const std::size_t n_samples = static_cast<std::size_t>(samples->GetSize());
        if (n_samples >= model.shortest_record()) {
            discrimen::Pulses pulses = discrimen::contiguous(samples->GetArray(), 1, n_samples);
            pulses.type = DISCRIMEN_UINT16;  // CoMPASS writes unsigned samples into a TArrayS
            if (model.classify(pulses, workspace, of_pulse.data()) == DISCRIMEN_OK) neutron = of_pulse[neutron_number];
        }
        n_scored += !std::isnan(neutron);
        scores->Fill();
    }
    scores->Write();
    std::cout << n_scored << " of " << tree->GetEntries() << " entries scored\n";
    return 0;
}
