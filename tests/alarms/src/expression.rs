//! Metric math, as far as the alarms use it: numbers, ids, `+ - * /`, comparisons, `IF` and `FILL`, over one period.
//!
//! Source: `CloudWatch` user guide, "Using math expressions with `CloudWatch` metrics". A period without a data point
//! of a metric has none in any result computed from it, unless `FILL` supplies one. The same is true of a division by
//! zero. Comparisons result in 1 or 0, and `IF` takes its second argument unless the first is 0.

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::str::Chars;

/// Parsed expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// Number.
    Number(f64),
    /// Metric, or another expression.
    Id(String),
    /// Operator between two operands.
    Binary(Operator, Box<(Expression, Expression)>),
    /// `IF(condition, value, otherwise)`.
    If(Box<(Expression, Expression, Expression)>),
    /// `FILL(value, number)`.
    Fill(Box<Expression>, f64),
}

/// Operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `>=`
    AtLeast,
    /// `>`
    Above,
    /// `<=`
    AtMost,
    /// `<`
    Below,
}

/// Error in the text of an expression.
pub type SyntaxError = String;

impl Expression {
    /// Parses an expression.
    ///
    /// # Errors
    /// Error where the text is not an expression, or has a function that the alarms do not use yet.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut parser = Parser {
            rest: text.chars().peekable(),
        };
        let expression = parser.comparison()?;
        match parser.next() {
            None => Ok(expression),
            Some(left) => Err(format!("{left:?} is too much")),
        }
    }

    /// Returns the ids that the expression reads.
    pub fn ids(&self) -> BTreeSet<&str> {
        match self {
            Self::Number(_) => BTreeSet::new(),
            Self::Id(id) => BTreeSet::from([&**id]),
            Self::Binary(_, sides) => &sides.0.ids() | &sides.1.ids(),
            Self::If(parts) => &(&parts.0.ids() | &parts.1.ids()) | &parts.2.ids(),
            Self::Fill(value, _) => value.ids(),
        }
    }

    /// Value in a period in which `metric` gives each metric's, where it has one.
    pub fn evaluate(&self, metric: &dyn Fn(&str) -> Option<f64>) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Id(id) => metric(id),
            Self::Binary(operator, sides) => {
                operator.apply(sides.0.evaluate(metric)?, sides.1.evaluate(metric)?)
            }
            Self::If(parts) => {
                let (condition, value, otherwise) = &**parts;
                if condition.evaluate(metric)? == 0.0 {
                    otherwise.evaluate(metric)
                } else {
                    value.evaluate(metric)
                }
            }
            Self::Fill(value, filling) => value.evaluate(metric).or(Some(*filling)),
        }
    }
}

impl Operator {
    fn apply(self, left: f64, right: f64) -> Option<f64> {
        let flag = |is_so: bool| f64::from(u8::from(is_so));
        Some(match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide if right == 0.0 => return None,
            Self::Divide => left / right,
            Self::AtLeast => flag(left >= right),
            Self::Above => flag(left > right),
            Self::AtMost => flag(left <= right),
            Self::Below => flag(left < right),
        })
    }
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
}

impl Parser<'_> {
    fn comparison(&mut self) -> Result<Expression, SyntaxError> {
        let left = self.sum()?;
        let operator = match self.peek() {
            Some('>') => ('>', Operator::Above, Operator::AtLeast),
            Some('<') => ('<', Operator::Below, Operator::AtMost),
            _ => return Ok(left),
        };
        self.expect(operator.0)?;
        let operator = if self.rest.next_if_eq(&'=').is_some() {
            operator.2
        } else {
            operator.1
        };
        Ok(Expression::Binary(operator, Box::new((left, self.sum()?))))
    }

    fn sum(&mut self) -> Result<Expression, SyntaxError> {
        let mut left = self.product()?;
        loop {
            let operator = match self.peek() {
                Some('+') => Operator::Add,
                Some('-') => Operator::Subtract,
                _ => return Ok(left),
            };
            self.next();
            left = Expression::Binary(operator, Box::new((left, self.product()?)));
        }
    }

    fn product(&mut self) -> Result<Expression, SyntaxError> {
        let mut left = self.operand()?;
        loop {
            let operator = match self.peek() {
                Some('*') => Operator::Multiply,
                Some('/') => Operator::Divide,
                _ => return Ok(left),
            };
            self.next();
            left = Expression::Binary(operator, Box::new((left, self.operand()?)));
        }
    }

    fn operand(&mut self) -> Result<Expression, SyntaxError> {
        match self.peek() {
            Some('(') => {
                self.expect('(')?;
                let inner = self.comparison()?;
                self.expect(')')?;
                Ok(inner)
            }
            Some(digit) if digit.is_ascii_digit() => self.number().map(Expression::Number),
            Some(letter) if letter.is_ascii_lowercase() => Ok(Expression::Id(self.word())),
            Some(letter) if letter.is_ascii_uppercase() => self.function(),
            other => Err(format!("{other:?} where a value is expected")),
        }
    }

    fn function(&mut self) -> Result<Expression, SyntaxError> {
        let name = self.word();
        self.expect('(')?;
        let first = self.comparison()?;
        self.expect(',')?;
        let call = match &*name {
            "FILL" => Expression::Fill(Box::new(first), self.number()?),
            "IF" => {
                let value = self.comparison()?;
                self.expect(',')?;
                Expression::If(Box::new((first, value, self.comparison()?)))
            }
            other => return Err(format!("{other} is not known here")),
        };
        self.expect(')')?;
        Ok(call)
    }

    fn number(&mut self) -> Result<f64, SyntaxError> {
        self.peek();
        let text = self.while_(|letter| letter.is_ascii_digit() || letter == '.');
        text.parse().map_err(|_| format!("{text:?} is no number"))
    }

    fn word(&mut self) -> String {
        self.while_(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    }

    fn while_(&mut self, belongs: impl Fn(char) -> bool) -> String {
        std::iter::from_fn(|| self.rest.next_if(|letter| belongs(*letter))).collect()
    }

    fn expect(&mut self, wanted: char) -> Result<(), SyntaxError> {
        match self.next() {
            Some(found) if found == wanted => Ok(()),
            found => Err(format!("{found:?} where {wanted:?} is expected")),
        }
    }

    fn next(&mut self) -> Option<char> {
        self.peek()?;
        self.rest.next()
    }

    /// The next character that is no space.
    fn peek(&mut self) -> Option<char> {
        while self.rest.next_if_eq(&' ').is_some() {}
        self.rest.peek().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<f64> {
        let metric = |id: &str| match id {
            "two" => Some(2.0),
            "ten" => Some(10.0),
            "none" => Some(0.0),
            _ => None,
        };
        Expression::parse(text).unwrap().evaluate(&metric)
    }

    #[test]
    fn operators_have_precedence() {
        for (text, expected) in [
            ("1 + 2 * 3", 7.0),
            ("(1 + 2) * 3", 9.0),
            ("10 - 2 - 3", 5.0),
            ("100 * two / ten", 20.0),
            ("two >= 2", 1.0),
            ("two > 2", 0.0),
            ("1.5 < two", 1.0),
            ("two + 1 <= 3", 1.0),
            ("IF(two >= 3, 100 * two / ten, 0)", 0.0),
            ("IF(ten >= 3, 100 * two / ten, 0)", 20.0),
        ] {
            assert_eq!(value(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn period_without_data_has_no_value_unless_filled() {
        for text in ["missing", "missing + two", "two / none", "IF(missing > 1, 2, 3)"] {
            assert_eq!(value(text), None, "{text}");
        }
        assert_eq!(value("FILL(missing, 0) + FILL(two, 7)"), Some(2.0));
    }

    #[test]
    fn invalid_expression_is_refused() {
        for text in [
            "",
            "1 +",
            "(1",
            "1 2",
            "SUM(two, 1)",
            "FILL(two)",
            "IF(1, 2)",
            "Two",
            "two & 1",
        ] {
            assert!(Expression::parse(text).is_err(), "{text}");
        }
    }
}
