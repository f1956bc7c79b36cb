//! A scripted SMTP server: answers each command as the test says.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// Name of the end of a mail's text in a script. The text itself is no command.
const END_OF_TEXT: &str = ".";

/// A mail that the server was given, also one that it refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpMail {
    pub recipient: String,
    pub text: String,
}

impl SmtpMail {
    /// Returns the first header field of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.text.lines().take_while(|line| !line.is_empty());
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

type Script = dyn Fn(&str) -> Option<String> + Send + Sync;

/// A server on a port of its own, until the process ends.
pub struct ScriptedSmtp {
    pub port: u16,
    mails: Arc<Mutex<Vec<SmtpMail>>>,
}

impl ScriptedSmtp {
    /// Starts a server. `script` returns the answer to a command, or `None` for the usual one.
    ///
    /// The commands are `CONNECT`, those of the client, and `.` for the end of a mail's text.
    pub fn start(script: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (mails, script): (Arc<Mutex<Vec<SmtpMail>>>, Arc<Script>) = (Arc::default(), Arc::new(script));
        let kept = Arc::clone(&mails);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (script, mails) = (Arc::clone(&script), Arc::clone(&kept));
                // A client that hangs up ends its conversation.
                thread::spawn(move || drop(converse(stream, &script, &mails)));
            }
        });
        Self { port, mails }
    }

    /// Returns the mails so far.
    pub fn mails(&self) -> Vec<SmtpMail> {
        self.mails.lock().unwrap().clone()
    }
}

fn converse(stream: TcpStream, script: &Arc<Script>, mails: &Mutex<Vec<SmtpMail>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let mut stream = stream;
    let mut say = |command: &str, usual: &str| -> std::io::Result<bool> {
        let answer = script(command).unwrap_or_else(|| usual.to_owned());
        stream.write_all(format!("{answer}\r\n").as_bytes())?;
        Ok(answer.starts_with('2') || answer.starts_with('3'))
    };
    say("CONNECT", "220 mail.example ESMTP")?;
    let mut recipient = String::new();
    while let Some(line) = lines.next() {
        let command = line?;
        let word = command.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match word.as_str() {
            "EHLO" => _ = say(&command, "250-mail.example\r\n250 AUTH PLAIN")?,
            "AUTH" => _ = say(&command, "235 2.7.0 ok")?,
            "RCPT" => {
                let address = command.trim_start_matches("RCPT TO:<").split('>').next().unwrap_or_default();
                address.clone_into(&mut recipient);
                say(&command, "250 2.1.5 ok")?;
            }
            "DATA" => {
                if say(&command, "354 go on")? {
                    let mut text = Vec::new();
                    for line in lines.by_ref() {
                        let line = line?;
                        if line == END_OF_TEXT {
                            break;
                        }
                        text.push(line);
                    }
                    let mail = SmtpMail { recipient: recipient.clone(), text: text.join("\n") };
                    mails.lock().unwrap().push(mail);
                    say(END_OF_TEXT, "250 2.0.0 queued as 1")?;
                }
            }
            "QUIT" => {
                say(&command, "221 2.0.0 bye")?;
                return Ok(());
            }
            _ => _ = say(&command, "250 2.0.0 ok")?,
        }
    }
    Ok(())
}
