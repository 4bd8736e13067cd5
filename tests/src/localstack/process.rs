use std::process::Command;

/// Kills the processes of a function on the stack of this port, which run on this machine; how many.
pub(super) fn kill(function: &str, port: u16) -> usize {
    let wanted = [format!("AWS_LAMBDA_FUNCTION_NAME={function}"), format!("EDGE_PORT={port}")];
    let mut killed = 0;
    for entry in std::fs::read_dir("/proc").expect("Linux").flatten() {
        let Ok(variables) = std::fs::read(entry.path().join("environ")) else { continue };
        let variables: Vec<&[u8]> = variables.split(|byte| *byte == 0).collect();
        if wanted.iter().all(|one| variables.contains(&one.as_bytes())) {
            let pid = entry.file_name().into_string().expect("a number");
            killed +=
                usize::from(Command::new("kill").args(["-KILL", &pid]).status().is_ok_and(|status| status.success()));
        }
    }
    killed
}
