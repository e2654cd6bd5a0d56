// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;

/** The {@code netfs} command: its verbs, and how each way of failing is told. */
@Command(
        name = "netfs",
        description = "Remote storage as a local file system.",
        synopsisSubcommandLabel = "VERB",
        commandListHeading = "%nVerbs:%n",
        footer = {
            "",
            "netfs help VERB tells the rest. Remotes: sftp://user@host:port/path,",
            "sftp://user@host/~/path (below the login directory), or a local directory."
        })
public final class Main implements Callable<Integer> {
    /**
     * Verbs whose exit code tells of what they did: a mount is there, or everything is on the
     * server, also when nobody can read the line that says so.
     */
    private static final Set<String> DEEDS =
            Set.of("mount", "umount", "install-helpers", Daemon.VERB);

    @Spec private CommandSpec spec = CommandSpec.create();

    /** What the virtual machine makes of bytes that are no UTF-8. */
    private static final char NOT_DECODED = '\uFFFD';

    private Main() {}

    public static void main(String[] args) {
        Surroundings surroundings =
                new Surroundings(
                        new FuseOpener(System.getenv()),
                        System.getenv(),
                        Path.of("").toAbsolutePath(),
                        RuntimeDirectory.ofUser(System.getenv()),
                        System.out,
                        System.err);
        System.exit(run(surroundings, args));
    }

    /** Runs a command; returns its exit code. */
    static int run(Surroundings surroundings, String... args) {
        for (String argument : args) {
            if (argument.indexOf(NOT_DECODED) >= 0) {
                surroundings.warn(
                        "\""
                                + Printable.of(argument)
                                + "\" is not UTF-8; give it a name that is, or a link with one");
                return ExitCode.USAGE.number();
            }
        }
        CommandLine line = commandLine(surroundings);
        int code = line.execute(args);
        boolean incomplete = surroundings.out().checkError();
        if (code == ExitCode.OK.number() && incomplete && printsItsResult(line.getParseResult())) {
            surroundings.warn("cannot write to stdout; what was asked for is not all there");
            return ExitCode.FAILED.number();
        }
        return code;
    }

    /** Whether what stands on stdout is all that was asked for; else it only tells of a deed. */
    private static boolean printsItsResult(ParseResult asked) {
        ParseResult verb = asked.hasSubcommand() ? asked.subcommand() : asked;
        return verb.isUsageHelpRequested() || !DEEDS.contains(verb.commandSpec().name());
    }

    static CommandLine commandLine(Surroundings surroundings) {
        CommandLine line =
                new CommandLine(new Main())
                        .addSubcommand(new MountCommand(surroundings))
                        .addSubcommand(new UmountCommand(surroundings))
                        .addSubcommand(new StatusCommand(surroundings))
                        .addSubcommand(new RecoverCommand(surroundings))
                        .addSubcommand(new InstallHelpersCommand(surroundings))
                        .addSubcommand(new VersionCommand(surroundings))
                        .addSubcommand(new CommandLine.HelpCommand())
                        .addSubcommand(new ServeCommand(surroundings))
                        .addSubcommand(new TrainCommand());
        line.setOut(surroundings.printer(surroundings.out()));
        line.setErr(surroundings.printer(surroundings.err()));
        // An argument that begins with '@' is a name like any other.
        line.setExpandAtFiles(false);
        line.setUsageHelpAutoWidth(true);
        line.setParameterExceptionHandler((e, args) -> refuse(surroundings, e));
        line.setExecutionExceptionHandler((e, command, result) -> fail(surroundings, e));
        CommandLine mount = line.getSubcommands().get("mount");
        if (mount != null) {
            describeMount(mount);
        }
        describe(line);
        line.getSubcommands().values().stream().distinct().forEach(Main::describe);
        return line;
    }

    @Override
    public Integer call() throws CommandFailure {
        throw new ParameterException(spec.commandLine(), "a verb is missing");
    }

    private static int refuse(Surroundings surroundings, ParameterException e) {
        String verb = e.getCommandLine().getCommandName();
        String more = verb.equals("netfs") ? "netfs help" : "netfs help " + verb;
        String said = String.valueOf(e.getMessage());
        if (e instanceof UnmatchedArgumentException unmatched
                && !unmatched.isUnknownOption()
                && verb.equals("netfs")) {
            said = "no verb \"" + unmatched.getUnmatched().getFirst() + "\"";
        }
        if (e instanceof MissingParameterException missing
                && missing.getMissing().getFirst() instanceof OptionSpec option) {
            said = option.longestName() + " needs a value, " + option.paramLabel();
        }
        surroundings.warn(said + "; see " + more);
        return ExitCode.USAGE.number();
    }

    private static int fail(Surroundings surroundings, Exception e) {
        if (e instanceof CommandFailure failure) {
            surroundings.warn(failure.line());
            return failure.code().number();
        }
        surroundings.warn("unexpected failure: " + e);
        return ExitCode.FAILED.number();
    }

    private static void describeMount(CommandLine mount) {
        List<String> lines = Backends.help();
        String[] footer = lines.stream().map(l -> l.replace("%", "%%")).toArray(String[]::new);
        mount.getCommandSpec().usageMessage().footer(footer);
    }

    private static void describe(CommandLine line) {
        CommandSpec command = line.getCommandSpec();
        if (command.findOption("--help") == null) {
            command.addOption(
                    OptionSpec.builder("-h", "--help")
                            .usageHelp(true)
                            .description("Print this.")
                            .build());
        }
        Map<String, String> codes = new LinkedHashMap<>();
        for (ExitCode code : ExitCode.values()) {
            codes.put(String.valueOf(code.number()), code.meaning());
        }
        command.usageMessage().exitCodeListHeading("%nExit codes:%n");
        command.usageMessage().exitCodeList(codes);
    }
}
