//! Programs of this MRS: the demo's by default, others from a TOML file.

use serde::Deserialize;

use super::dialect::Dialect;

/// Settings of the stand-in (`--config`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MrsSettings {
    /// The vocabularies that are understood; both by default.
    pub dialects: Vec<Dialect>,
    /// Length of a RANAC, 20 to 30 digits. The widget document (`docs/sources.md#widget`) shows 20, the WSDL has room
    /// for 30.
    pub ranac_digits: usize,
    /// Number of accounts at which `enroll` answers -1001.
    pub max_accounts: usize,
    /// The programs that cards can be enrolled into.
    pub programs: Vec<Program>,
}

/// One program.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// `programIdentifier`.
    pub id: String,
    /// The member that may enroll into it.
    pub member_ica: u64,
    /// The only product code that it has.
    pub bank_product_code: String,
    /// Which cards qualify.
    pub bin_ranges: Vec<BinRange>,
}

/// From the first to the last BIN, both included, equally long.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BinRange {
    /// The first BIN.
    pub from: String,
    /// The last BIN.
    pub to: String,
}

/// Reason for which settings are refused.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Not TOML, or members that are unknown or missing.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// A RANAC has 20 to 30 digits.
    #[error("ranac_digits must be from 20 to 30")]
    RanacDigits,
    /// Without a vocabulary every call would be refused.
    #[error("dialects must name at least one of \"document\" and \"wsdl\"")]
    Dialects,
    /// Two BINs that make no range.
    #[error(
        "program {program}: a BIN range needs two numbers of equal length, 1 to 19 digits, the smaller first"
    )]
    BinRange {
        /// The program's id.
        program: String,
    },
}

impl MrsSettings {
    /// Reads the content of a `--config` file; what it leaves out is as in the demo.
    pub fn from_toml(text: &str) -> Result<Self, SettingsError> {
        let settings: Self = toml::from_str(text)?;
        if !(20..=30).contains(&settings.ranac_digits) {
            return Err(SettingsError::RanacDigits);
        }
        if settings.dialects.is_empty() {
            return Err(SettingsError::Dialects);
        }
        for program in &settings.programs {
            if !program.bin_ranges.iter().all(BinRange::is_valid) {
                return Err(SettingsError::BinRange {
                    program: program.id.clone(),
                });
            }
        }
        Ok(settings)
    }
}

impl Default for MrsSettings {
    fn default() -> Self {
        let range = |from: &str, to: &str| BinRange {
            from: from.to_owned(),
            to: to.to_owned(),
        };
        Self {
            dialects: vec![Dialect::Document, Dialect::Wsdl],
            ranac_digits: 20,
            max_accounts: 50_000,
            programs: vec![Program {
                id: "10765".to_owned(),
                member_ica: 1234,
                bank_product_code: "MRSDEMO".to_owned(),
                bin_ranges: vec![range("523400", "523499"), range("541234", "541234")],
            }],
        }
    }
}

impl BinRange {
    fn is_valid(&self) -> bool {
        let digits = |bin: &str| (1..=19).contains(&bin.len()) && bin.bytes().all(|b| b.is_ascii_digit());
        digits(&self.from) && digits(&self.to) && self.from.len() == self.to.len() && self.from <= self.to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_file_gives_the_demo_program() {
        let settings = MrsSettings::from_toml("").unwrap();
        assert_eq!(settings.programs[0].id, "10765");
        assert_eq!(settings.dialects, [Dialect::Document, Dialect::Wsdl]);
    }

    #[test]
    fn programs_are_replaced_as_a_whole() {
        let settings = MrsSettings::from_toml(
            r#"
            dialects = ["wsdl"]
            ranac_digits = 30
            [[programs]]
            id = "7"
            member_ica = 1
            bank_product_code = "P"
            bin_ranges = [{ from = "2221", to = "2720" }]
            "#,
        );
        let settings = settings.unwrap();
        assert_eq!(settings.programs.len(), 1);
        assert_eq!(settings.dialects, [Dialect::Wsdl]);
    }

    #[test]
    fn invalid_settings_are_refused() {
        let range = |from: &str, to: &str| {
            format!(
                "[[programs]]\nid = '7'\nmember_ica = 1\nbank_product_code = 'P'\nbin_ranges = [{{ from = '{from}', to = '{to}' }}]"
            )
        };
        for bad in [
            "ranac_digits = 19",
            "dialects = []",
            "unknown = 1",
            &range("2", "1"),
            &range("22", "3"),
            &range("a", "b"),
        ] {
            assert!(MrsSettings::from_toml(bad).is_err(), "{bad}");
        }
    }
}
