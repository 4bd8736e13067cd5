use std::cell::RefCell;

use argmin::core::{CostFunction, Executor, Gradient, State as _};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use linfa::DatasetBase;
use linfa::traits::Fit as _;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2, ShapeBuilder};

use crate::rows::Rows;

/// Why a regression could not be fitted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// The optimiser failed.
    #[error("{solver} failed: {reason}; look for texts without a letter, or too few comments")]
    Solver {
        /// The optimiser's name.
        solver: &'static str,
        /// What the optimiser says.
        reason: String,
    },
    /// A value is not finite, because a setting is far out of range.
    #[error("a comment's vector holds a number that is not finite; lower the scales")]
    NotFinite,
    /// The optimiser stopped before the minimum.
    #[error(
        "the fit did not converge: the gradient is {gradient:.1e} per comment after {iterations} iterations; lower the inverse regularisation or the scales"
    )]
    NotConverged {
        /// The largest entry of the gradient, per comment.
        gradient: f64,
        /// The most iterations that are allowed.
        iterations: u64,
    },
}

/// How weights are found. Both ways minimise the same: the sum of log loss, and half the squared weights over C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Solver {
    /// linfa-logistic fits a dense matrix.
    Linfa,
    /// argmin fits sparse rows, where a dense matrix has no room.
    Sparse,
}

impl Solver {
    /// The solver's name in the manifest.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Solver::Linfa => "linfa-logistic 0.8, L-BFGS, f32",
            Solver::Sparse => "argmin 0.11, L-BFGS over sparse rows, f64",
        }
    }
}

/// A logistic regression over the columns of rows.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// The weight of each column.
    pub(crate) weights: Vec<f64>,
    pub(crate) intercept: f64,
}

/// The most iterations of a fit.
const MAX_ITERATIONS: u64 = 300;
/// The largest entry of the gradient, per comment, that counts as converged. Neither optimiser says why it stopped, so
/// the gradient is measured here.
const MAX_GRADIENT: f64 = 1e-3;

/// Fits rows against verdicts. Rows whose verdict is not known say nothing; a column's weight is found in units of its scale, so
/// that a larger one is regularised less. Returns the largest entry of the gradient too, per row.
pub(crate) fn fit(
    rows: &Rows,
    verdicts: &[Option<bool>],
    scales: &[f64],
    c: f64,
    solver: Solver,
) -> Result<(Line, f64), FitError> {
    let problem = Problem { rows, verdicts, scales, c };
    check(rows)?;
    let line = match solver {
        Solver::Linfa => problem.solve_dense(),
        Solver::Sparse => problem.solve(FINE),
    };
    problem.checked(line.map_err(|reason| FitError::Solver { solver: solver.name(), reason })?)
}

/// Makes a quick fit that says which columns matter.
pub(crate) fn rough(rows: &Rows, verdicts: &[Option<bool>], scales: &[f64], c: f64) -> Result<Line, FitError> {
    check(rows)?;
    let line = Problem { rows, verdicts, scales, c }.solve(ROUGH);
    line.map_err(|reason| FitError::Solver { solver: Solver::Sparse.name(), reason })
}

/// Verdicts of which none is unknown.
pub(crate) fn all_known(removed: &[bool]) -> Vec<Option<bool>> {
    removed.iter().copied().map(Some).collect()
}

/// Checks that all values are finite: over a NaN linfa-logistic never ends.
fn check(rows: &Rows) -> Result<(), FitError> {
    let is_finite = rows.iter().flatten().all(|(_, value)| value.is_finite());
    if is_finite { Ok(()) } else { Err(FitError::NotFinite) }
}

/// The length of the gradient per comment at which a fit ends.
const FINE: f64 = 1e-5;
/// The same of a fit that only says which columns matter.
const ROUGH: f64 = 1e-4;

/// What is to be fitted.
#[derive(Clone, Copy)]
struct Problem<'a> {
    rows: &'a Rows,
    /// What is known of each row.
    verdicts: &'a [Option<bool>],
    /// The unit in which each column's weight is found and regularised.
    scales: &'a [f64],
    c: f64,
}

impl Problem<'_> {
    /// The number of rows whose verdict is known.
    fn known(&self) -> usize {
        self.verdicts.iter().flatten().count()
    }

    /// Fits a dense matrix of the rows whose verdict is known.
    fn solve_dense(self) -> Result<Line, String> {
        let Problem { rows, verdicts, scales, c } = self;
        // Column-major: linfa-logistic's products run 3-4 times faster over it.
        let mut x = Array2::<f32>::zeros((self.known(), rows.width).f());
        let known = rows.iter().zip(verdicts).filter(|(_, verdict)| verdict.is_some());
        for (index, (row, _)) in known.enumerate() {
            for &(column, value) in row {
                x[[index, column as usize]] = value * scales[column as usize] as f32;
            }
        }
        let y: Array1<bool> = verdicts.iter().copied().flatten().collect();
        let model = LogisticRegression::<f32>::default()
            .alpha((1.0 / c) as f32)
            .max_iterations(MAX_ITERATIONS)
            .gradient_tolerance(1e-2)
            .fit(&DatasetBase::new(x, y))
            .map_err(|error| error.to_string())?;
        // linfa-logistic calls the larger class positive.
        let sign = if model.labels().pos.class { 1.0 } else { -1.0 };
        let weights = model.params().iter().zip(scales).map(|(weight, scale)| f64::from(*weight) * sign * scale);
        Ok(Line { weights: weights.collect(), intercept: f64::from(model.intercept()) * sign })
    }

    /// Fits sparse rows until the gradient's length is `tolerance` per row.
    fn solve(self, tolerance: f64) -> Result<Line, String> {
        let failed = |error: argmin::core::Error| error.to_string();
        let solver = LBFGS::new(MoreThuenteLineSearch::new(), 10)
            .with_tolerance_grad(tolerance * self.known() as f64)
            .map_err(failed)?;
        let found = Executor::new(Loss::new(self), solver)
            .configure(|state| state.param(vec![0.0; self.rows.width + 1]).max_iters(MAX_ITERATIONS))
            .run()
            .map_err(failed)?;
        let best = found.state().get_best_param().ok_or("no step could be made")?;
        Ok(Line::of(best, self.scales))
    }

    /// The line, if it is a minimum, with the largest entry of the gradient, per row.
    fn checked(self, line: Line) -> Result<(Line, f64), FitError> {
        let slopes = Loss::new(self).gradient_at(&line);
        let gradient = slopes.iter().fold(0.0_f64, |largest, slope| largest.max(slope.abs())) / self.known() as f64;
        // Written so that a NaN fails too.
        if !(gradient <= MAX_GRADIENT && line.weights.iter().all(|weight| weight.is_finite())) {
            return Err(FitError::NotConverged { gradient, iterations: MAX_ITERATIONS });
        }
        Ok((line, gradient))
    }
}

/// The loss that is minimised. A point is the weights in units of their scales, and the intercept last.
struct Loss<'a> {
    problem: Problem<'a>,
    /// The point that was looked at last, and the log-odds there: a line search asks for loss and gradient of the same.
    last: RefCell<(Vec<f64>, Vec<f64>)>,
}

impl Line {
    fn of(point: &[f64], scales: &[f64]) -> Self {
        let (intercept, weights) = point.split_last().map_or((0.0, &[][..]), |(last, rest)| (*last, rest));
        Line { weights: weights.iter().zip(scales).map(|(weight, scale)| weight * scale).collect(), intercept }
    }

    pub(crate) fn log_odds(&self, row: &[(u32, f32)]) -> f64 {
        row.iter().fold(self.intercept, |sum, &(column, value)| sum + f64::from(value) * self.weights[column as usize])
    }
}

impl<'a> Loss<'a> {
    fn new(problem: Problem<'a>) -> Self {
        Loss { problem, last: RefCell::default() }
    }

    /// The log-odds of each row; 0 where no verdict asks for them.
    fn log_odds(&self, line: &Line) -> Vec<f64> {
        let rows = self.problem.rows.iter().zip(self.problem.verdicts);
        rows.map(|(row, verdict)| if verdict.is_some() { line.log_odds(row) } else { 0.0 }).collect()
    }

    /// Returns what `of` makes of a point's line and log-odds.
    fn at<T>(&self, point: &[f64], of: impl FnOnce(&Line, &[f64]) -> T) -> T {
        let line = Line::of(point, self.problem.scales);
        let mut last = self.last.borrow_mut();
        if last.0 != point {
            *last = (point.to_vec(), self.log_odds(&line));
        }
        of(&line, &last.1)
    }

    fn loss(&self, line: &Line, log_odds: &[f64]) -> f64 {
        let Problem { verdicts, scales, c, .. } = self.problem;
        let losses = log_odds.iter().zip(verdicts).filter_map(|(z, verdict)| {
            // ln(1 + e^z) - t z, without overflow.
            verdict.map(|removed| z.max(0.0) + (-z.abs()).exp().ln_1p() - if removed { *z } else { 0.0 })
        });
        let squares: f64 = line.weights.iter().zip(scales).map(|(weight, scale)| (weight / scale).powi(2)).sum();
        losses.sum::<f64>() + squares / (2.0 * c)
    }

    fn slopes(&self, line: &Line, log_odds: &[f64]) -> Vec<f64> {
        let Problem { rows, verdicts, scales, c } = self.problem;
        // By the weights first, and by the weights in units of their scales at the end.
        let penalties = line.weights.iter().zip(scales).map(|(weight, scale)| weight / c / (scale * scale));
        let mut slopes: Vec<f64> = penalties.chain([0.0]).collect();
        for ((row, z), verdict) in rows.iter().zip(log_odds).zip(verdicts) {
            let &Some(removed) = verdict else { continue };
            let residual = 1.0 / (1.0 + (-z).exp()) - f64::from(u8::from(removed));
            for &(column, value) in row {
                slopes[column as usize] += residual * f64::from(value);
            }
            slopes[line.weights.len()] += residual;
        }
        slopes.iter_mut().zip(scales).for_each(|(slope, scale)| *slope *= scale);
        slopes
    }

    fn gradient_at(&self, line: &Line) -> Vec<f64> {
        self.slopes(line, &self.log_odds(line))
    }
}

impl CostFunction for Loss<'_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, point: &Vec<f64>) -> Result<f64, argmin::core::Error> {
        Ok(self.at(point, |line, log_odds| self.loss(line, log_odds)))
    }
}

impl Gradient for Loss<'_> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, point: &Vec<f64>) -> Result<Vec<f64>, argmin::core::Error> {
        Ok(self.at(point, |line, log_odds| self.slopes(line, log_odds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::candidates;
    use crate::settings::{Settings, default_settings};
    use serde::Deserialize;

    /// Scales that change nothing.
    fn ones(rows: &Rows) -> Vec<f64> {
        vec![1.0; rows.width]
    }

    fn rows(settings: &Settings) -> (Rows, Vec<bool>) {
        let texts: Vec<String> = (0..200)
            .map(|index| {
                format!("{} number {}{}", ["so", "why", "thanks"][index % 3], index % 7, ["?", "!", ""][index % 5 % 3])
            })
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let removed = (0..200).map(|index| (index * 7 + index / 3) % 5 < 2).collect();
        (Rows::of(&candidates(&texts, settings).vectorizer(), &texts, settings), removed)
    }

    #[test]
    fn values_that_are_no_numbers_make_no_line() {
        for measure_scale in [f64::NAN, f64::INFINITY] {
            let (rows, removed) = rows(&Settings { measure_scale, ..default_settings() });
            for solver in [Solver::Linfa, Solver::Sparse] {
                let found = fit(&rows, &all_known(&removed), &ones(&rows), 1.0, solver).map(|(_, gradient)| gradient);
                assert_eq!(found, Err(FitError::NotFinite), "{solver:?} over {measure_scale}");
            }
            assert!(
                rough(&rows, &all_known(&removed), &ones(&rows), 1.0).is_err_and(|error| error == FitError::NotFinite)
            );
        }
    }

    #[test]
    fn both_solvers_find_the_same_weights() {
        let (rows, removed) = rows(&default_settings());
        let verdicts = all_known(&removed);
        let scales = rows.ratio_scales(&verdicts, 0.5);
        assert!(scales.iter().any(|scale| *scale > 1.2) && scales.iter().any(|scale| *scale < 0.8));
        let [(one, _), (other, _)] =
            [Solver::Linfa, Solver::Sparse].map(|solver| fit(&rows, &verdicts, &scales, 1.0, solver).expect("fits"));
        assert!((one.intercept - other.intercept).abs() < 1e-2, "{} {}", one.intercept, other.intercept);
        assert!(one.weights.iter().zip(&other.weights).all(|(one, other)| (one - other).abs() < 1e-2));
        assert!(other.weights.iter().any(|weight| weight.abs() > 0.1));
    }

    #[derive(Deserialize)]
    struct Fixture {
        c: f64,
        columns: usize,
        rows: Vec<Vec<(u32, f32)>>,
        labels: Vec<Vec<Option<u8>>>,
        lines: Vec<Expected>,
    }

    #[derive(Deserialize)]
    struct Expected {
        weights: Vec<f64>,
        intercept: f64,
    }

    /// The numbers are scikit-learn's over the same rows (`tests/fixtures/one_vs_rest.py` makes them).
    #[test]
    fn each_labels_line_is_scikit_learns_over_the_rows_it_is_known_of() {
        let fixture = include_str!("../tests/fixtures/one_vs_rest.json");
        let Fixture { c, columns, rows, labels, lines } = serde_json::from_str(fixture).expect("JSON");
        let rows = Rows::from_vectors(&rows, columns, columns, columns);
        assert_eq!(lines.len(), 3);
        for (label, expected) in lines.iter().enumerate() {
            let verdicts: Vec<Option<bool>> = labels.iter().map(|of_row| Some(of_row[label]? == 1)).collect();
            assert!(verdicts.iter().any(Option::is_none));
            let (line, _) = fit(&rows, &verdicts, &ones(&rows), c, Solver::Sparse).expect("fits");
            let close = |found: f64, expected: f64| (found - expected).abs() < 1e-3;
            assert!(close(line.intercept, expected.intercept), "{} {}", line.intercept, expected.intercept);
            for (found, expected) in line.weights.iter().zip(&expected.weights) {
                assert!(close(*found, *expected), "{found} {expected}");
            }
        }
    }

    /// A column in other units, with a scale that undoes them, is the same column.
    #[test]
    fn a_scale_is_the_unit_of_its_column() {
        let (rows, removed) = rows(&default_settings());
        let verdicts = all_known(&removed);
        let scales: Vec<f64> = (0..rows.width).map(|column| 0.5 + (column % 4) as f64).collect();
        let scaled =
            rows.iter().map(|row| row.iter().map(|&(column, value)| (column, value * scales[column as usize] as f32)));
        let scaled = Rows::from_vectors(&scaled.map(Iterator::collect).collect::<Vec<_>>(), rows.width, 0, 0);
        let (one, _) = fit(&rows, &verdicts, &scales, 1.0, Solver::Sparse).expect("fits");
        let (other, _) = fit(&scaled, &verdicts, &ones(&scaled), 1.0, Solver::Sparse).expect("fits");
        for ((one, other), scale) in one.weights.iter().zip(&other.weights).zip(&scales) {
            assert!((one - other * scale).abs() < 1e-2, "{one} {other} {scale}");
        }
    }
}
