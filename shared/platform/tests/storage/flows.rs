//! The domain's flows over the product's adapters: cases that `enrollment` runs over the reference model.

harness::settlement_tests!(
    engine::case_on_engine_of_aws,
    [ignore = "needs the local AWS: cargo xtask test --only storage"]
);
