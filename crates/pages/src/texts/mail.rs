//! The texts of mail. The subject of a message is also its heading.

use super::{Text, With, WithTwo, texts};

texts! {
    MailTexts {
        minutes: With = |count| counted(count, "minute", "minutes"),
        hours: With = |count| counted(count, "hour", "hours"),
        days: With = |count| counted(count, "day", "days"),

        type_code: Text = "Type this code on the page that asked for it:",
        or_open: Text = "Or open this link:",
        both_expire: With = |time| format!("The code and the link expire in {time}."),
        link_expires: With = |time| format!("The link expires in {time}."),
        ignore: Text = "If you did not ask for this, ignore this message.",
        tell_nobody: Text = "Never tell anybody the code.",
        not_expected: Text = "If you did not expect this, ignore this message.",
        not_done: With = |tenant| format!("If you did not do this, ask {tenant} for help."),
        link_fails: With = |tenant| format!("If the link does not work, ask {tenant} for help."),

        recovery: With = |tenant| format!("Reset your password at {tenant}"),
        recovery_text: With = |tenant| {
            format!("Somebody, probably you, asked to reset the password of your account at {tenant}.")
        },
        recovery_button: Text = "Reset password",
        verification: With = |tenant| format!("Confirm your address at {tenant}"),
        verification_text: With = |tenant| {
            format!("Somebody, probably you, wants to use this address for an account at {tenant}.")
        },
        verification_button: Text = "Confirm address",
        invitation: With = |tenant| format!("Your account at {tenant}"),
        invitation_text: With = |tenant| {
            format!("An administrator has created an account for you at {tenant}. Set a password to sign in.")
        },
        invitation_button: Text = "Set password",
        open: Text = "Open this link:",
        password_changed: With = |tenant| format!("Your password at {tenant} was changed"),
        password_changed_text: WithTwo = |tenant, at| {
            format!("The password of your account at {tenant} was changed at {at}.")
        },
        password_reset: Text = "If you did not do this, somebody else knows your password. Reset your password now:",
        address_changed: With = |tenant| format!("Your address at {tenant} was changed"),
        address_changed_text: WithTwo = |tenant, at| {
            format!("The email address of your account at {tenant} was changed at {at}. Your account no longer uses this address.")
        },
        address_undo: With = |time| {
            format!("If you did not do this, somebody else may know your password. You can restore this address within {time}:")
        },
        address_undo_button: Text = "Restore address",
        address_confirmed: With = |tenant| format!("Your address at {tenant} is confirmed"),
        address_confirmed_text: WithTwo = |tenant, at| {
            format!("This address was confirmed for your account at {tenant} at {at}.")
        },
        test: With = |tenant| format!("Test message from {tenant}"),
        test_text: With = |tenant| format!("The mail server accepts messages from {tenant}."),
    }
}

fn counted(count: &str, one: &str, many: &str) -> String {
    format!("{count} {}", if count == "1" { one } else { many })
}
