using System.Diagnostics;
using System.Net;

namespace Exchange.Benchmarks;

/// <summary>
/// Postfix on a loopback port, without TLS, with settings, queue and log in a folder of its own. What it has queued it delivers to nowhere, or, where asked to, into a Maildir, each mail synced.
/// </summary>
sealed class PostfixPeer : IDisposable
{
    const string Nobody = "65534";
    readonly DirectoryInfo folder;
    readonly int port;

    PostfixPeer(DirectoryInfo folder, int port) => (this.folder, this.port) = (folder, port);

    /// <summary>null: it is not installed or does not start.</summary>
    /// <param name="delivers">Into a Maildir.</param>
    public static PostfixPeer? Start(bool delivers = false)
    {
        if (!File.Exists("/usr/sbin/postfix") || !File.Exists("/usr/sbin/smtp-source")) return null;
        var folder = Directory.CreateTempSubdirectory("exchange-postfix-");
        File.SetUnixFileMode(folder.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        var peer = new PostfixPeer(folder, port);
        Directory.CreateDirectory(peer.At("conf"));
        Directory.CreateDirectory(peer.At("queue"));
        Directory.CreateDirectory(peer.At("data"));
        Directory.CreateDirectory(peer.At("mail"));
        File.WriteAllText(peer.At("conf", "main.cf"), $"""
            compatibility_level=3.6
            queue_directory={peer.At("queue")}
            data_directory={peer.At("data")}
            mail_owner=postfix
            setgid_group=postdrop
            myhostname=bench.test
            mydestination=
            alias_maps=
            local_recipient_maps=
            inet_interfaces=loopback-only
            inet_protocols=ipv4
            mynetworks=127.0.0.0/8
            {(delivers ? $"virtual_mailbox_domains=bench.test\nvirtual_mailbox_base={peer.At("mail")}\nvirtual_mailbox_maps=static:inbox/\nvirtual_uid_maps=static:{Nobody}\nvirtual_gid_maps=static:{Nobody}" : "relay_domains=bench.test\nrelay_transport=discard:")}
            default_transport=error:no outbound mail
            smtpd_relay_restrictions=permit_mynetworks,reject
            smtpd_client_connection_count_limit=0
            maillog_file={peer.At("mail.log")}
            maillog_file_prefixes={folder.FullName}

            """);
        File.WriteAllText(peer.At("conf", "master.cf"), $"""
            127.0.0.1:{port} inet n - n - 100 smtpd
            pickup unix n - n 60 1 pickup
            cleanup unix n - n - 0 cleanup
            qmgr unix n - n 300 1 qmgr
            tlsmgr unix - - n 1000? 1 tlsmgr
            rewrite unix - - n - - trivial-rewrite
            bounce unix - - n - 0 bounce
            defer unix - - n - 0 bounce
            trace unix - - n - 0 bounce
            verify unix - - n - 1 verify
            flush unix n - n 1000? 0 flush
            proxymap unix - - n - - proxymap
            error unix - - n - - error
            retry unix - - n - - error
            discard unix - - n - - discard
            virtual unix - n n - - virtual
            anvil unix - - n - 1 anvil
            scache unix - - n - 1 scache
            postlog unix-dgram n - n - 1 postlogd

            """);
        if (Do("chown", "postfix", peer.At("data")) == 0 && Do("chown", Nobody, peer.At("mail")) == 0 && Do("postfix", "-c", peer.At("conf"), "start") == 0) return peer;
        peer.Dispose();
        return null;
    }

    string At(params string[] parts) => Path.Combine([folder.FullName, .. parts]);

    /// <returns>Mails a second until all are in the queue.</returns>
    public double Accept(int clients, int count, int size)
    {
        var began = Stopwatch.GetTimestamp();
        Send(clients, count, size);
        return count / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    /// <returns>Mails a second until all are in the Maildir.</returns>
    public double Deliver(int clients, int count, int size)
    {
        var (began, inbox) = (Stopwatch.GetTimestamp(), At("mail", "inbox", "new"));
        Send(clients, count, size);
        while (!Directory.Exists(inbox) || Directory.EnumerateFiles(inbox).Count() < count)
        {
            if (Stopwatch.GetElapsedTime(began) > TimeSpan.FromMinutes(2)) throw new TimeoutException("Postfix did not deliver in time.");
            Thread.Sleep(20);
        }
        var elapsed = Stopwatch.GetElapsedTime(began).TotalSeconds;
        Directory.Delete(inbox, recursive: true);
        Directory.CreateDirectory(inbox);
        Do("chown", Nobody, inbox);
        return count / elapsed;
    }

    void Send(int clients, int count, int size)
    {
        if (Do("smtp-source", "-d", "-s", $"{clients}", "-m", $"{count}", "-l", $"{size}", "-f", "a@bench.test", "-t", "b@bench.test", $"127.0.0.1:{port}") != 0)
            throw new InvalidOperationException("smtp-source failed");
    }

    static int Do(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var said = Task.WhenAll(process.StandardError.ReadToEndAsync(), process.StandardOutput.ReadToEndAsync());
        process.WaitForExit();
        return process.ExitCode;
    }

    public void Dispose()
    {
        Do("postfix", "-c", At("conf"), "stop");
        folder.Delete(recursive: true);
    }
}
