using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Exchange.Adapters;
using Exchange.Adapters.Mail;

namespace Exchange.Tests;

/// <summary>
/// Postfix and Dovecot on loopback ports, with settings, queue, mailboxes, certificates and logs in a folder of their own. Any NAME@gw.test has a mailbox and the password "pw". refused@ is answered 550, later@ 450, and
/// what goes to bounced@ is taken first and returned afterwards.
/// </summary>
public sealed class MailServers : IDisposable
{
    public const string Domain = "gw.test", Password = "pw";
    /// <summary>The same mailboxes, reached through a server that does not report: what its relay says is "relayed".</summary>
    public const string Forgetful = "lmtp.test";
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("exchange-mail-");
    int mailboxes;

    public MailServers()
    {
        IsHere = File.Exists("/usr/sbin/postfix") && File.Exists("/usr/sbin/dovecot") && Environment.IsPrivilegedProcess;
        if (!IsHere) return;
        var ports = Ports(5);
        (StartTls, Implicit, Imap, Imaps, Lmtp) = (ports[0], ports[1], ports[2], ports[3], ports[4]);
        foreach (var path in new[] { "conf", "queue", "data", "home" }) Directory.CreateDirectory(At(path));
        File.SetUnixFileMode(folder.FullName, (UnixFileMode)0b111_101_101);
        Certificates();
        File.WriteAllText(At("dovecot.conf"), Dovecot());
        File.WriteAllText(At("conf", "main.cf"), Main());
        File.WriteAllText(At("conf", "master.cf"), Master());
        // The last hop into the mailbox, whose success Postfix reports as "delivered"; 75 is EX_TEMPFAIL.
        File.WriteAllText(At("deliver"), $"""
            d={At("home")}/$1/Maildir; f=$(date +%s).$$.test
            mkdir -p "$d/new" "$d/cur" "$d/tmp" && cat > "$d/tmp/$f" && mv "$d/tmp/$f" "$d/new/$f" || exit 75

            """);
        Do("chown", "postfix", At("data"));
        Do("chown", "mail:mail", At("home"));
        Do("dovecot", "-c", At("dovecot.conf"));
        Do("postfix", "-c", At("conf"), "start");
    }

    /// <summary>False: not installed, or not root; tests are skipped.</summary>
    public bool IsHere { get; }
    public int StartTls { get; }
    public int Implicit { get; }
    public int Imap { get; }
    public int Imaps { get; }
    int Lmtp { get; }
    public X509Certificate2 Authority { get; private set; } = null!;
    public string AuthorityFile => At("ca.pem");
    /// <summary>Shown by a client, it may send without a password.</summary>
    public X509Certificate2 Client { get; private set; } = null!;
    public byte[] ServerPin { get; private set; } = null!;
    /// <summary>The folder in which an intake looks at mails; what lies in it now.</summary>
    public IEnumerable<string> Temporary => Directory.EnumerateFileSystemEntries(At("temporary"));
    public string Log => File.ReadAllText(At("mail.log")) + File.ReadAllText(At("dovecot.log"));

    string At(params string[] parts) => Path.Combine([folder.FullName, .. parts]);

    /// <summary>An address that nobody had before.</summary>
    public string NewAddress(string prefix) => string.Create(CultureInfo.InvariantCulture, $"{prefix}-{Interlocked.Increment(ref mailboxes)}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}@{Domain}");

    /// <summary>Options of a gateway whose mailbox is this address.</summary>
    public MailOptions Options(string address, Func<Guid, MailTrace>? trace = null, MailTls tls = MailTls.StartTls) => new()
    {
        Smtp = new MailServer("127.0.0.1", tls == MailTls.StartTls ? StartTls : Implicit, tls, address, Password, null),
        Imap = new MailServer("127.0.0.1", tls == MailTls.StartTls ? Imap : Imaps, tls, address, Password, null),
        From = address, Authorities = [Authority], Temporary = At("temporary"), Trace = trace ?? (_ => MailTrace.None),
    };

    static string Name(string address) => address[..address.IndexOf('@')];

    /// <summary>Files of the mails in a mailbox.</summary>
    public IReadOnlyList<string> Mails(string address, string mailFolder = "") => [.. new[] { "new", "cur" }.Select(d => At("home", Name(address), "Maildir", mailFolder.Length > 0 ? "." + mailFolder : "", d)).Where(Directory.Exists).SelectMany(Directory.GetFiles)];

    /// <summary>Puts a mail into a mailbox as a server would that looks at nothing.</summary>
    public void Plant(string address, Action<Stream> write)
    {
        var maildir = At("home", Name(address), "Maildir");
        foreach (var path in new[] { "new", "cur", "tmp" }) Directory.CreateDirectory(Path.Combine(maildir, path));
        var name = string.Create(CultureInfo.InvariantCulture, $"{Interlocked.Increment(ref mailboxes):D8}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}.test");
        using (var file = File.Create(Path.Combine(maildir, "tmp", name))) write(file);
        Do("chown", "-R", "mail:mail", At("home", Name(address)));
        File.Move(Path.Combine(maildir, "tmp", name), Path.Combine(maildir, "new", name));
    }

    /// <summary>From now on this mailbox can keep nothing: the relay queues for it and tries again.</summary>
    public void Spoil(string address)
    {
        if (Directory.Exists(At("home", Name(address)))) Directory.Delete(At("home", Name(address)), recursive: true);
        File.WriteAllText(At("home", Name(address)), "");
    }

    /// <summary>Every connection to the mailboxes breaks; new ones are taken.</summary>
    public void BreakConnections() => Do("doveadm", "-c", At("dovecot.conf"), "kick", "*");

    /// <summary>The mailbox numbers its mails anew.</summary>
    public void Renumber(string address)
    {
        foreach (var file in Directory.EnumerateFiles(At("home", Name(address), "Maildir"), "dovecot*")) File.Delete(file);
    }

    string Dovecot() => $$"""
        base_dir={{At("run")}}
        state_dir={{At("run")}}
        log_path={{At("dovecot.log")}}
        protocols=imap lmtp
        listen=127.0.0.1
        ssl=required
        ssl_cert=<{{At("server.pem")}}
        ssl_key=<{{At("server.key")}}
        mail_location=maildir:{{At("home")}}/%n/Maildir
        first_valid_uid=1
        mail_max_userip_connections=50
        mailbox_idle_check_interval=1s
        auth_failure_delay=0
        passdb {
          driver=static
          args=password={{Password}}
        }
        userdb {
          driver=static
          args=uid=mail gid=mail home={{At("home")}}/%n
        }
        service imap-login {
          inet_listener imap {
            port={{Imap}}
          }
          inet_listener imaps {
            port={{Imaps}}
            ssl=yes
          }
        }
        service lmtp {
          inet_listener lmtp {
            address=127.0.0.1
            port={{Lmtp}}
          }
        }
        service auth {
          unix_listener auth-client {
            mode=0666
          }
        }

        """;

    string Main() => $$"""
        compatibility_level=3.6
        queue_directory={{At("queue")}}
        data_directory={{At("data")}}
        mail_owner=postfix
        setgid_group=postdrop
        myhostname=relay.{{Domain}}
        mydestination=
        alias_maps=
        inet_interfaces=loopback-only
        inet_protocols=ipv4
        mynetworks=127.0.0.0/32
        virtual_mailbox_domains={{Domain}},{{Forgetful}}
        virtual_transport=maildir:
        transport_maps=inline:{ { {{Forgetful}} = lmtp:inet:127.0.0.1:{{Lmtp}} }, { bounced@{{Domain}} = bouncer: } }
        default_transport=error:no outbound mail
        relay_transport=error:no outbound mail
        message_size_limit=3000000
        minimal_backoff_time=5s
        queue_run_delay=5s
        smtpd_tls_cert_file={{At("server.pem")}}
        smtpd_tls_key_file={{At("server.key")}}
        smtpd_tls_security_level=encrypt
        smtpd_tls_CAfile={{At("ca.pem")}}
        smtpd_tls_ask_ccert=yes
        smtpd_sasl_auth_enable=yes
        smtpd_sasl_type=dovecot
        smtpd_sasl_path={{At("run", "auth-client")}}
        smtpd_relay_restrictions=permit_sasl_authenticated,permit_tls_all_clientcerts,reject
        smtpd_recipient_restrictions=check_recipient_access inline:{ {refused@{{Domain}} = 550 5.1.1 no}, {later@{{Domain}} = 450 4.2.0 not now} },permit_sasl_authenticated,permit_tls_all_clientcerts,reject
        smtpd_client_connection_count_limit=0
        smtpd_error_sleep_time=0
        maillog_file={{At("mail.log")}}
        maillog_file_prefixes={{folder.FullName}}

        """;

    string Master() => $$"""
        127.0.0.1:{{StartTls}} inet n - n - - smtpd
        127.0.0.1:{{Implicit}} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
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
        proxywrite unix - - n - 1 proxymap
        showq unix n - n - - showq
        error unix - - n - - error
        retry unix - - n - - error
        lmtp unix - - n - - lmtp
        maildir unix - n n - - pipe flags=RXh user=mail argv=/bin/sh {{At("deliver")}} ${user}
        bouncer unix - n n - - pipe flags= user=nobody argv=/bin/sh -c {exit 67}
        anvil unix - - n - 1 anvil
        scache unix - - n - 1 scache
        postlog unix-dgram n - n - 1 postlogd

        """;

    void Certificates()
    {
        var now = TimeProvider.System.GetUtcNow();
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authority = new CertificateRequest("CN=Mail test authority", authorityKey, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        Authority = authority.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var server = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        server.CertificateExtensions.Add(names.Build());
        server.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        using var issued = server.Create(Authority, now.AddDays(-1), now.AddDays(20), RandomNumberGenerator.GetBytes(8));
        ServerPin = SHA256.HashData(issued.RawData);
        using var clientKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var client = new CertificateRequest("CN=gateway", clientKey, HashAlgorithmName.SHA256);
        client.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], false));
        using var shown = client.Create(Authority, now.AddDays(-1), now.AddDays(20), RandomNumberGenerator.GetBytes(8));
        Client = shown.CopyWithPrivateKey(clientKey);
        File.WriteAllText(At("server.pem"), issued.ExportCertificatePem() + "\n" + Authority.ExportCertificatePem() + "\n");
        File.WriteAllText(At("server.key"), key.ExportPkcs8PrivateKeyPem() + "\n");
        File.WriteAllText(AuthorityFile, Authority.ExportCertificatePem() + "\n");
        File.SetUnixFileMode(At("server.key"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    static int[] Ports(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(l => l.Start());
        int[] ports = [.. listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port)];
        listeners.ForEach(l => l.Dispose());
        return ports;
    }

    void Do(string program, params string[] arguments)
    {
        // A daemon keeps what it was given open: nothing is read from it.
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "exec \"$@\" >>\"$0\" 2>&1 </dev/null", At("said"), program, .. arguments]))!;
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {process.ExitCode}\n{File.ReadAllText(At("said"))}");
    }

    public void Dispose()
    {
        if (IsHere)
        {
            foreach (Action stop in new Action[] { () => Do("postfix", "-c", At("conf"), "stop"), () => Do("kill", File.ReadAllText(At("run", "master.pid")).Trim()) })
            {
                try { stop(); }
                catch (Exception e) when (e is InvalidOperationException or IOException) { }
            }
            Authority.Dispose();
        }
        for (var tries = 0; folder.Exists; tries++)
        {
            try { folder.Delete(recursive: true); }
            catch (IOException) when (tries < 5) { }
            folder.Refresh();
        }
    }
}

/// <summary>Started once for all tests that speak to them.</summary>
[CollectionDefinition(nameof(MailServers))]
public sealed class MailServersCollection : ICollectionFixture<MailServers>;
